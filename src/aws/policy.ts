/**
 * What each part of us may do in an account, as IAM policy statements. Everything that is made must
 * be born with our tag and everything that is changed or deleted must wear it, as far as EC2 has a
 * condition for it; the conditions are those that the service authorization reference lists for the
 * action and resource, because any other one would match nothing. The tests compare the actions with
 * the calls really made.
 */
import { tagKeys } from "../engine/tags";
import type { Action } from "./client";

/** The Pulumi provider and the command line; and the three functions of the controller. */
export type Part = "provider" | "worker" | "router" | "sweep";

export interface PolicyScope {
  /** "aws", "aws-cn", "aws-us-gov". */
  partition: string;
  region: string;
  accountId: string;
  /** The roles of the instance profiles that managed instances may carry; none may be passed otherwise. */
  instanceRoleArns: readonly string[];
  /** Customer managed keys that encrypt root disks; AWS's own key for EBS needs no permission. */
  kmsKeyArns: readonly string[];
}

export interface Statement {
  Sid: string;
  Effect: "Allow" | "Deny";
  Action: readonly string[];
  Resource: readonly string[];
  Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

export interface PolicyDocument {
  Version: "2012-10-17";
  Statement: readonly Statement[];
}

/** What reading calls each part makes; EC2 cannot restrict them by resource. */
const reads: Readonly<Record<Part, readonly Action[]>> = {
  provider: [
    "DescribeImages",
    "DescribeInstanceStatus",
    "DescribeInstanceTypeOfferings",
    "DescribeInstanceTypes",
    "DescribeInstances",
    "DescribeKeyPairs",
    "DescribeNetworkInterfaces",
    "DescribeSecurityGroups",
    "DescribeSnapshots",
    "DescribeSpotInstanceRequests",
    "DescribeSpotPriceHistory",
    "DescribeSubnets",
    "DescribeVolumes",
    "GetSpotPlacementScores",
  ],
  worker: [
    "DescribeImages",
    "DescribeInstanceStatus",
    "DescribeInstances",
    "DescribeNetworkInterfaces",
    "DescribeSnapshots",
    "DescribeSpotInstanceRequests",
    "DescribeSpotPriceHistory",
    "DescribeSubnets",
    "DescribeVolumes",
    "GetSpotPlacementScores",
  ],
  router: [
    "DescribeImages",
    "DescribeInstanceStatus",
    "DescribeInstances",
    "DescribeSnapshots",
    "DescribeSpotInstanceRequests",
  ],
  sweep: ["DescribeImages", "DescribeNetworkInterfaces", "DescribeSnapshots", "DescribeVolumes"],
};

/** The EC2 (and IAM, KMS) statements of one part. */
export function ec2Statements(part: Part, scope: PolicyScope): Statement[] {
  const reading: Statement = {
    Sid: "Read",
    Effect: "Allow",
    Action: ec2Actions(...reads[part]),
    Resource: ["*"],
    Condition: { StringEquals: { "ec2:Region": scope.region } },
  };
  switch (part) {
    case "router":
      return [reading];
    case "sweep":
      return [reading, ...sweeping(scope)];
    case "provider":
    case "worker":
      return [
        reading,
        ...creating(scope),
        ...launching(scope),
        ...changing(scope),
        ...tagging(scope),
        ...deleting(scope),
        ...passing(scope),
      ];
  }
}

const ec2Actions = (...actions: readonly Action[]) => actions.map((action) => `ec2:${action}`);

/** Images and snapshots belong to no account in their ARN. */
const withoutAccount: readonly string[] = ["image", "snapshot"];

const arns = ({ partition, region, accountId }: PolicyScope, ...kinds: readonly string[]) =>
  kinds.map((kind) => {
    const account = withoutAccount.includes(kind) ? "" : accountId;
    return `arn:${partition}:ec2:${region}:${account}:${kind}/*`;
  });

const anyId = "pmi-*";
const bornOurs = { StringLike: { [`aws:RequestTag/${tagKeys.id}`]: anyId } };
const isOurs = { StringLike: { [`aws:ResourceTag/${tagKeys.id}`]: anyId } };

const creating = (scope: PolicyScope): Statement[] => [
  {
    Sid: "CreateWithOurTag",
    Effect: "Allow",
    Action: ec2Actions("CreateNetworkInterface", "CreateSnapshot", "RegisterImage"),
    Resource: arns(scope, "network-interface", "snapshot", "image"),
    Condition: bornOurs,
  },
  {
    Sid: "PlaceNetworkInterface",
    Effect: "Allow",
    Action: ec2Actions("CreateNetworkInterface"),
    Resource: arns(scope, "subnet", "security-group"),
  },
  {
    Sid: "FromOurs",
    Effect: "Allow",
    Action: ec2Actions("CreateSnapshot", "RegisterImage"),
    Resource: arns(scope, "volume", "snapshot"),
    Condition: isOurs,
  },
  {
    Sid: "TagAtBirth",
    Effect: "Allow",
    Action: ec2Actions("CreateTags"),
    Resource: arns(scope, "network-interface", "snapshot", "image", "instance", "volume"),
    Condition: {
      ...bornOurs,
      StringEquals: {
        "ec2:CreateAction": [
          "CreateNetworkInterface",
          "CreateSnapshot",
          "RegisterImage",
          "RunInstances",
        ],
      },
    },
  },
];

/** RunInstances cannot be bound by the tags of an existing network interface: EC2 knows no such key. */
const launching = (scope: PolicyScope): Statement[] => [
  {
    Sid: "LaunchWithOurTag",
    Effect: "Allow",
    Action: ec2Actions("RunInstances"),
    Resource: arns(scope, "instance", "volume"),
    Condition: bornOurs,
  },
  {
    Sid: "LaunchFrom",
    Effect: "Allow",
    Action: ec2Actions("RunInstances"),
    Resource: arns(
      scope,
      "image",
      "snapshot",
      "network-interface",
      "subnet",
      "security-group",
      "key-pair",
      "spot-instances-request",
    ),
  },
];

const changing = (scope: PolicyScope): Statement[] => [
  {
    Sid: "ChangeOurs",
    Effect: "Allow",
    Action: ec2Actions(
      "ModifyInstanceAttribute",
      "ModifyNetworkInterfaceAttribute",
      "TerminateInstances",
    ),
    Resource: arns(scope, "instance", "network-interface", "volume"),
    Condition: isOurs,
  },
  {
    Sid: "SetSecurityGroups",
    Effect: "Allow",
    Action: ec2Actions("ModifyNetworkInterfaceAttribute"),
    Resource: arns(scope, "security-group"),
  },
];

/** Ours stays ours: no tag of ours can be put on another's, and the identity cannot be changed. */
const tagging = (scope: PolicyScope): Statement[] => {
  const kinds = arns(scope, "network-interface", "snapshot", "image", "instance", "volume");
  return [
    {
      Sid: "TagOurs",
      Effect: "Allow",
      Action: ec2Actions("CreateTags"),
      Resource: kinds,
      Condition: {
        ...isOurs,
        StringEqualsIfExists: {
          [`aws:RequestTag/${tagKeys.id}`]: `\${aws:ResourceTag/${tagKeys.id}}`,
        },
      },
    },
    {
      Sid: "UntagOurs",
      Effect: "Allow",
      Action: ec2Actions("DeleteTags"),
      Resource: arns(scope, "snapshot", "image", "volume"),
      Condition: {
        ...isOurs,
        "ForAllValues:StringEquals": { "aws:TagKeys": [tagKeys.condemned, tagKeys.deleteAfter] },
        Null: { "aws:TagKeys": "false" },
      },
    },
  ];
};

/** Deleting takes two looks (design §4), and IAM sees to it: what is not condemned cannot be deleted. */
const isCondemned = { Null: { [`aws:ResourceTag/${tagKeys.condemned}`]: "false" } };
const isExpiring = {
  Null: {
    [`aws:ResourceTag/${tagKeys.condemned}`]: "false",
    [`aws:ResourceTag/${tagKeys.deleteAfter}`]: "false",
  },
};

const deleting = (scope: PolicyScope): Statement[] => [
  {
    Sid: "DeleteWhatWeCondemned",
    Effect: "Allow",
    Action: ec2Actions("DeleteSnapshot", "DeleteVolume", "DeregisterImage"),
    Resource: arns(scope, "snapshot", "volume", "image"),
    Condition: { ...isOurs, ...isCondemned },
  },
  {
    Sid: "DeleteOurNetworkInterface",
    Effect: "Allow",
    Action: ec2Actions("DeleteNetworkInterface"),
    Resource: arns(scope, "network-interface"),
    Condition: isOurs,
  },
];

/** The sweep writes one tag, and deletes only what retention has given an end. */
const sweeping = (scope: PolicyScope): Statement[] => {
  const kinds = arns(scope, "network-interface", "snapshot", "image", "volume");
  return [
    {
      Sid: "CondemnOurs",
      Effect: "Allow",
      Action: ec2Actions("CreateTags"),
      Resource: kinds,
      Condition: {
        ...isOurs,
        "ForAllValues:StringEquals": { "aws:TagKeys": [tagKeys.condemned] },
        Null: { [`aws:ResourceTag/${tagKeys.deleteAfter}`]: "false" },
      },
    },
    {
      Sid: "DeleteWhatHasExpired",
      Effect: "Allow",
      Action: ec2Actions(
        "DeleteNetworkInterface",
        "DeleteSnapshot",
        "DeleteVolume",
        "DeregisterImage",
      ),
      Resource: kinds,
      Condition: { ...isOurs, ...isExpiring },
    },
  ];
};

const passing = ({ partition, region, accountId, ...given }: PolicyScope): Statement[] => [
  ...(given.instanceRoleArns.length === 0
    ? []
    : [
        {
          Sid: "PassInstanceRoles",
          Effect: "Allow" as const,
          Action: ["iam:PassRole"],
          Resource: given.instanceRoleArns,
          Condition: {
            StringEquals: {
              "iam:PassedToService": `ec2.amazonaws.com${partition === "aws-cn" ? ".cn" : ""}`,
            },
          },
        },
      ]),
  {
    Sid: "FirstSpotInstanceOfTheAccount",
    Effect: "Allow",
    Action: ["iam:CreateServiceLinkedRole"],
    Resource: [`arn:${partition}:iam::${accountId}:role/aws-service-role/spot.amazonaws.com/*`],
    Condition: { StringEquals: { "iam:AWSServiceName": "spot.amazonaws.com" } },
  },
  ...(given.kmsKeyArns.length === 0 ? [] : encrypting(region, given.kmsKeyArns)),
];

/** What EC2 does with a customer managed key on behalf of whoever launches from it. */
function encrypting(region: string, keyArns: readonly string[]): Statement[] {
  const viaEc2 = { StringEquals: { "kms:ViaService": `ec2.${region}.amazonaws.com` } };
  return [
    {
      Sid: "EncryptRootDisks",
      Effect: "Allow",
      Action: [
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:GenerateDataKeyWithoutPlaintext",
        "kms:ReEncryptFrom",
        "kms:ReEncryptTo",
      ],
      Resource: keyArns,
      Condition: viaEc2,
    },
    {
      Sid: "GrantRootDisksToEc2",
      Effect: "Allow",
      Action: ["kms:CreateGrant"],
      Resource: keyArns,
      Condition: { ...viaEc2, Bool: { "kms:GrantIsForAWSResource": "true" } },
    },
  ];
}

/** What `pulumi up` with `ManagedInstance`, and the command line, need of EC2. */
export const providerPolicy = (scope: PolicyScope): PolicyDocument => ({
  Version: "2012-10-17",
  Statement: ec2Statements("provider", scope),
});
