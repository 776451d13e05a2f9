/**
 * What AWS asks IAM for each call that we make: which resources of which types it authorizes, and
 * with what in the request's context, after the service authorization reference of EC2. A resource
 * that a call is about to make has no tags yet, only those that the request gives it.
 */
import { isReading } from "../../src/aws/reading";
import type { Rows } from "../../src/simulator";

export interface AuthorizationRequest {
  action: string;
  resource: string;
  context: Record<string, string | string[]>;
}

export interface Account {
  region: string;
  account: string;
  rows(): Rows;
}

type Tags = Readonly<Record<string, string>>;
type Input = Readonly<Record<string, unknown>>;
interface TagSpecification {
  ResourceType: string;
  Tags: { Key: string; Value?: string }[];
}

const kindsById: Readonly<Record<string, string>> = {
  i: "instance",
  vol: "volume",
  snap: "snapshot",
  ami: "image",
  eni: "network-interface",
  subnet: "subnet",
  sg: "security-group",
};

export function authorizationsOf(
  account: Account,
  action: string,
  input: Input,
): AuthorizationRequest[] {
  return new Authorizer(account, input).requests(action);
}

/** A resource by its id, in whatever account and Region. */
export function arnOf(
  { region, account }: Pick<Account, "region" | "account">,
  id: string,
): string {
  const kind = kindsById[id.split("-")[0] ?? ""] ?? "unknown";
  const owner = kind === "image" || kind === "snapshot" ? "" : account;
  return `arn:aws:ec2:${region}:${owner}:${kind}/${id}`;
}

class Authorizer {
  constructor(
    private readonly account: Account,
    private readonly input: Input,
  ) {}

  requests(action: string): AuthorizationRequest[] {
    if (isReading(action))
      return [{ action: `ec2:${action}`, resource: "*", context: this.region }];
    switch (action) {
      case "CreateNetworkInterface":
        return [
          ...this.born(action, "network-interface"),
          ...this.existing(action, this.text("SubnetId"), ...this.texts("Groups")),
        ];
      case "CreateSnapshot":
        return [...this.born(action, "snapshot"), ...this.existing(action, this.text("VolumeId"))];
      case "RegisterImage":
        return [...this.born(action, "image"), ...this.existing(action, this.snapshotInMappings())];
      case "RunInstances":
        return this.launching();
      case "CreateTags":
      case "DeleteTags":
        return this.tagging(action);
      case "TerminateInstances":
        return this.existing(action, ...this.texts("InstanceIds"));
      case "ModifyInstanceAttribute":
        return this.existing(action, this.text("InstanceId"), ...this.mappedVolumes());
      default:
        return this.existing(action, ...this.subjects());
    }
  }

  private readonly region = { "ec2:Region": this.account.region };

  private text(member: string): string {
    return String(this.input[member]);
  }

  private texts(member: string): string[] {
    return (this.input[member] as string[] | undefined) ?? [];
  }

  private subjects(): string[] {
    const members = ["InstanceId", "NetworkInterfaceId", "SnapshotId", "VolumeId", "ImageId"];
    const own = members.filter((member) => member in this.input).map((member) => this.text(member));
    return [...own, ...this.texts("Groups")];
  }

  private mappedVolumes(): string[] {
    const mappings = this.input.BlockDeviceMappings as { DeviceName: string }[];
    const devices = mappings.map(({ DeviceName }) => DeviceName);
    return [...this.account.rows().volumes()]
      .filter(({ attachment }) => attachment?.instanceId === this.text("InstanceId"))
      .filter(({ attachment }) => devices.includes(attachment?.device ?? ""))
      .map(({ id }) => id);
  }

  private snapshotInMappings(): string {
    const [mapping] = this.input.BlockDeviceMappings as { Ebs: { SnapshotId: string } }[];
    return mapping?.Ebs.SnapshotId ?? "";
  }

  private requestTags(kind: string): Tags {
    const specifications = (this.input.TagSpecifications as TagSpecification[] | undefined) ?? [];
    const own = specifications.find(({ ResourceType }) => ResourceType === kind);
    return Object.fromEntries((own?.Tags ?? []).map(({ Key, Value = "" }) => [Key, Value]));
  }

  /** What is made, and the CreateTags that EC2 authorizes with it. */
  private born(action: string, kind: string): AuthorizationRequest[] {
    const tags = this.requestTags(kind);
    const prefix = Object.entries(kindsById).find(([, each]) => each === kind)?.[0] ?? "";
    const resource = arnOf(this.account, `${prefix}-00000000000000000`);
    const context = { ...this.region, ...requested(tags) };
    return [
      { action: `ec2:${action}`, resource, context },
      { action: "ec2:CreateTags", resource, context: { ...context, "ec2:CreateAction": action } },
    ];
  }

  private existing(action: string, ...ids: readonly string[]): AuthorizationRequest[] {
    return ids.map((id) => ({
      action: `ec2:${action}`,
      resource: arnOf(this.account, id),
      context: { ...this.region, ...worn(this.tagsOf(id)) },
    }));
  }

  private tagging(action: string): AuthorizationRequest[] {
    const list = (this.input.Tags as { Key: string; Value?: string }[] | undefined) ?? [];
    const keys = { "aws:TagKeys": list.map(({ Key }) => Key) };
    const tags = Object.fromEntries(list.map(({ Key, Value = "" }) => [Key, Value]));
    return this.existing(action, ...this.texts("Resources")).map((request) => ({
      ...request,
      context: {
        ...request.context,
        ...(action === "CreateTags" ? requested(tags) : {}),
        ...keys,
      },
    }));
  }

  private launching(): AuthorizationRequest[] {
    const action = "RunInstances";
    const [first] = this.input.NetworkInterfaces as { NetworkInterfaceId: string }[];
    const anchor = [...this.account.rows().interfaces()].find(
      ({ id }) => id === first?.NetworkInterfaceId,
    );
    const image = [...this.account.rows().images()].find(({ id }) => id === this.text("ImageId"));
    const snapshots = (image?.mappings ?? []).flatMap(({ snapshotId }) => snapshotId ?? []);
    const places = [anchor?.subnetId ?? "", ...(anchor?.groupIds ?? [])];
    return [
      ...this.born(action, "instance"),
      ...this.born(action, "volume"),
      ...this.existing(action, this.text("ImageId"), ...snapshots, ...places),
      // Of an existing interface EC2 tells IAM no tags.
      { ...this.plain(action, arnOf(this.account, anchor?.id ?? "")) },
      ...(this.input.KeyName === undefined
        ? []
        : [this.plain(action, this.ownArn(`key-pair/${this.text("KeyName")}`))]),
      ...(this.input.InstanceMarketOptions === undefined
        ? []
        : [this.plain(action, this.ownArn("spot-instances-request/sir-00000000"))]),
    ];
  }

  private plain = (action: string, resource: string): AuthorizationRequest => ({
    action: `ec2:${action}`,
    resource,
    context: this.region,
  });

  private ownArn = (rest: string) =>
    `arn:aws:ec2:${this.account.region}:${this.account.account}:${rest}`;

  private tagsOf(id: string): Tags {
    const rows = this.account.rows();
    const all = [
      ...rows.instances(),
      ...rows.volumes(),
      ...rows.snapshots(),
      ...rows.images(),
      ...rows.interfaces(),
    ];
    return Object.fromEntries(all.find((each) => each.id === id)?.tags ?? []);
  }
}

const worn = (tags: Tags) => prefixed("aws:ResourceTag/", tags);
const requested = (tags: Tags) => ({
  ...prefixed("aws:RequestTag/", tags),
  "aws:TagKeys": Object.keys(tags),
});

const prefixed = (prefix: string, tags: Tags) =>
  Object.fromEntries(Object.entries(tags).map(([key, value]) => [`${prefix}${key}`, value]));
