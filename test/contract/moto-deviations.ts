/**
 * What moto gets wrong, seen with the version that docs/contract.md names: each cause once, with the
 * section of docs/ec2-facts.md that says otherwise and the behaviours that do not hold because of it.
 * A behaviour that moto starts to get right makes `npm run contract:moto` fail until it leaves here.
 */
import type { Deviation } from "./verdicts";

interface Cause {
  readonly instead: string;
  readonly fact: string;
  readonly sentences: readonly string[];
}

const launching: readonly Cause[] = [
  {
    instead: "moto forgets client tokens: each call makes another resource",
    fact: "§1.1",
    sentences: [
      "the same token with the same launch is the same instance",
      "the same token with another instance type is refused",
      "the token of a terminated instance is used up",
      "the same token makes the same network interface",
      "the same token with another description is refused for a network interface",
      "the same token with the same Spot launch is the same instance",
      "the same token makes the same volume",
      "the same token with another size is refused for a volume",
    ],
  },
  {
    instead: "moto does not know the filter client-token and answers HTTP 500",
    fact: "§1.1",
    sentences: ["an instance is found by its client token"],
  },
  {
    instead: "moto does not check how network settings of a launch go together",
    fact: "§1.3",
    sentences: [
      "security groups of the instance beside an interface are refused",
      "an interface without a device index is refused",
      "deleting an existing interface with its instance cannot be asked for at launch",
      "tags for network interfaces are refused when a launch creates none",
    ],
  },
  {
    instead:
      "moto moves an interface to whichever instance names it last, and deletes it while held",
    fact: "§1.3",
    sentences: [
      "an interface is held from the moment that a launch on it is accepted",
      "an interface stays with the instance that was first",
      "an interface that an instance holds cannot be deleted",
      "no other instance can be launched on the interface of a stopped one",
    ],
  },
  {
    instead: "moto leaves the interface of a terminated instance attached to it",
    fact: "§4",
    sentences: ["a terminated instance frees its interface, which keeps its address"],
  },
  {
    instead: "moto does not check Spot options",
    fact: "§1.4",
    sentences: [
      "a price of a tenth of a cent is no price",
      "a price below the market's is too low",
      "a persistent request that terminates is refused",
      "a one-time request that stops is refused",
      "a Spot instance has no termination protection",
      "a one-time Spot instance cannot be stopped",
    ],
  },
  {
    instead: "moto makes no Spot request for a launch by RunInstances",
    fact: "§1.4",
    sentences: [
      "a Spot launch takes an existing interface and says that it is Spot",
      "its request is active and fulfilled",
      "its request names the instance",
      "cancelling an active request leaves its instance running",
      "a request that was cancelled under its instance says so",
      "a request ends with its instance",
    ],
  },
];

const disks: readonly Cause[] = [
  {
    instead: "moto wants a size or a snapshot in every block device mapping",
    fact: "§2",
    sentences: ["a root mapping that says no size takes the image's"],
  },
  {
    instead: "moto leaves DeleteOnTermination as it was",
    fact: "§2",
    sentences: ["a block device mapping without DeleteOnTermination sets it to true"],
  },
  {
    instead: "moto answers DetachVolume without an instance with HTTP 500",
    fact: "§2",
    sentences: [
      "the root of a running instance cannot be detached",
      "a detached volume becomes available",
      "a detached volume cannot be detached again",
    ],
  },
  {
    instead: "moto completes a snapshot at once and knows no rate",
    fact: "§2",
    sentences: [
      "a snapshot of an attached root is pending at first",
      "a second snapshot of a volume within fifteen seconds is refused",
      "a pending snapshot cannot become a volume",
    ],
  },
  {
    instead: "moto attaches a volume to anything at any time and does not say whether it is kept",
    fact: "§2",
    sentences: [
      "an attached data volume is in use and kept on termination",
      "a volume cannot be attached twice",
      "a volume cannot be attached to what is terminated",
    ],
  },
  {
    instead: "moto has no CreateReplaceRootVolumeTask",
    fact: "§5",
    sentences: [
      "a volume and a snapshot as the source of one replacement are refused",
      "the root becomes an existing volume",
      "the same token is the same replacement",
      "the replaced root is kept and becomes available",
      "the root of an instance that ends is not replaced",
      "the root of an instance that is not running yet is not replaced",
    ],
  },
];

const images: readonly Cause[] = [
  {
    instead:
      "moto's RegisterImage keeps only name and description, and makes a snapshot of its own",
    fact: "§3",
    sentences: [
      "the encrypted flag beside a snapshot is refused",
      "tags for anything but images are refused when one is registered",
      "a registered image becomes available and keeps what was said",
      "a registered image knows its snapshot",
      "an image says what it is billed as",
      "RegisterImage without more makes an i386, paravirtual image without ENA",
    ],
  },
  {
    instead: "moto lets two images have one name",
    fact: "§3",
    sentences: ["the name of an image is taken, also by another request of the same kind"],
  },
  {
    instead: "moto deletes a snapshot although an image uses it",
    fact: "§3",
    sentences: [
      "a snapshot that an image uses cannot be deleted",
      "a snapshot of a disabled image is in use as well",
    ],
  },
  {
    instead: "moto lists disabled images, and names no snapshots when it deregisters",
    fact: "§3",
    sentences: [
      "a disabled image is hidden unless it is asked for",
      "deregistering with its snapshots names each of them",
    ],
  },
];

const addresses: readonly Cause[] = [
  {
    instead: "moto associates an address anew each time and releases it while associated",
    fact: "§1.1",
    sentences: [
      "associating it with the same interface again changes nothing",
      "an associated Elastic IP cannot be released",
      "an Elastic IP whose association ended is released",
    ],
  },
  {
    instead: "moto gives one private address to two interfaces",
    fact: "§4",
    sentences: ["a private address that is taken is refused, and given once it is free"],
  },
];

const describing: readonly Cause[] = [
  {
    instead: "moto does not check ids, filters, limits and tokens of describes",
    fact: "§9",
    sentences: [
      "a Spot request that does not exist is InvalidSpotInstanceRequestID.NotFound",
      "an id of the wrong form is told apart from an unknown one",
      "an unknown filter is refused",
      "a page of fewer than five is refused",
      "a made-up NextToken is refused",
      "more than two hundred values of a filter are refused",
    ],
  },
  {
    instead: "moto answers everything in one page of DescribeInstanceTypes",
    fact: "§9",
    sentences: ["all pages together are the whole, each item once"],
  },
  {
    instead: "moto ignores the zone of DescribeSpotPriceHistory",
    fact: "§1.5",
    sentences: ["Spot prices are told by type and zone"],
  },
  {
    instead: "moto has no GetSpotPlacementScores",
    fact: "§1.6",
    sentences: ["placement scores of three types are told by zone, between 1 and 10"],
  },
  {
    instead: "moto does not check tags, nor what they are put on",
    fact: "§10",
    sentences: [
      "keys that begin with aws: are reserved",
      "a value of 257 characters is refused",
      "tags of what does not exist are refused",
    ],
  },
];

const changing: readonly Cause[] = [
  {
    instead: "moto changes any attributes in any state",
    fact: "§11",
    sentences: [
      "the type of a running instance cannot be changed",
      "two attributes cannot be changed in one call",
    ],
  },
  {
    instead: "moto keeps the first launch time, and starts what is terminated",
    fact: "§11",
    sentences: [
      "a stopped instance starts again, with another launch time",
      "what is being terminated cannot be started",
    ],
  },
  {
    instead: "moto's instances are running at once",
    fact: "§1.6",
    sentences: ["what is pending cannot be stopped"],
  },
];

export const motoDeviations: readonly Deviation[] = [
  ...launching,
  ...disks,
  ...images,
  ...addresses,
  ...describing,
  ...changing,
].flatMap(({ instead, fact, sentences }) =>
  sentences.map((sentence) => ({ sentence, instead, fact })),
);
