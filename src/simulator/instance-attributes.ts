/** Reading and changing an instance's attributes, one a call, many only while it is stopped (ec2-facts §11). */
import type {
  DescribeInstanceAttributeRequest,
  DescribeInstanceCreditSpecificationsRequest,
  DescribeInstanceCreditSpecificationsResult,
  InstanceAttribute,
  InstanceBlockDeviceMappingSpecification,
  InstanceCreditSpecification,
  ModifyInstanceAttributeRequest,
  ModifyInstanceMetadataOptionsRequest,
  ModifyInstanceMetadataOptionsResult,
} from "@aws-sdk/client-ec2";
import { action } from "./action";
import { Ec2Error } from "./errors";
import { attachedDevices, interfacesOf, metadataView } from "./instance-view";
import { checkedGroups } from "./interface-states";
import { groupList } from "./interface-view";
import { honouredMetadata, typeFacts } from "./launch-plan";
import type { InstanceRecord } from "./records";
import {
  find,
  findAll,
  invalidCombination,
  invalidValue,
  notSimulated,
  nouns,
  required,
} from "./refusals";
import { volumeAt } from "./volume-states";
import type { World } from "./world";

function instanceOf(world: World, id: string | undefined): InstanceRecord {
  return find(world.instances, nouns.instance, required(id, "InstanceId"));
}

type AttributeName =
  | "blockDeviceMapping"
  | "disableApiStop"
  | "disableApiTermination"
  | "ebsOptimized"
  | "enaSupport"
  | "groupSet"
  | "instanceInitiatedShutdownBehavior"
  | "instanceType"
  | "rootDeviceName"
  | "sourceDestCheck"
  | "sriovNetSupport"
  | "userData";

const attributes: Readonly<
  Record<AttributeName, (row: InstanceRecord, world: World) => InstanceAttribute>
> = {
  blockDeviceMapping: (row, world) => ({ BlockDeviceMappings: attachedDevices(world, row) }),
  disableApiStop: (row) => ({ DisableApiStop: { Value: row.disableApiStop } }),
  disableApiTermination: (row) => ({ DisableApiTermination: { Value: row.disableApiTermination } }),
  ebsOptimized: (row) => ({ EbsOptimized: { Value: row.ebsOptimized } }),
  enaSupport: (row) => ({ EnaSupport: { Value: row.enaSupport } }),
  groupSet: (row, world) => ({
    Groups: groupList(world, interfacesOf(world, row)[0]?.groupIds ?? []),
  }),
  instanceInitiatedShutdownBehavior: (row) => ({
    InstanceInitiatedShutdownBehavior: { Value: row.shutdownBehavior },
  }),
  instanceType: (row) => ({ InstanceType: { Value: row.instanceType } }),
  rootDeviceName: (row) => ({ RootDeviceName: { Value: row.rootDeviceName } }),
  sourceDestCheck: (row, world) => ({
    SourceDestCheck: { Value: interfacesOf(world, row)[0]?.sourceDestCheck ?? row.sourceDestCheck },
  }),
  sriovNetSupport: (row) => ({ SriovNetSupport: { Value: row.sriovNetSupport } }),
  userData: (row) => ({ UserData: { Value: row.userData } }),
};

function isAttributeName(name: string): name is AttributeName {
  return Object.hasOwn(attributes, name);
}

function describeInstanceAttribute(
  world: World,
  input: DescribeInstanceAttributeRequest,
): InstanceAttribute {
  const row = instanceOf(world, input.InstanceId);
  const name = required(input.Attribute, "Attribute");
  if (!isAttributeName(name)) throw notSimulated(`the instance attribute ${name}`);
  return { InstanceId: row.id, ...attributes[name](row, world) };
}

function modifyInstanceAttribute(world: World, input: ModifyInstanceAttributeRequest) {
  const row = instanceOf(world, input.InstanceId);
  const given = namedAttributes(input);
  if (given.length === 0) throw invalidCombination("No attributes specified.");
  if (given.length > 1) throw invalidCombination("Fields for multiple attribute types specified");
  applyChange(world, row, input);
  return {};
}

/** The old form names an attribute and gives its value as text. */
function namedAttributes(input: ModifyInstanceAttributeRequest): string[] {
  const { InstanceId: _id, DryRun: _dryRun, Value: _value, ...rest } = input;
  return Object.entries(rest)
    .filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0))
    .map(([name]) => name);
}

function applyChange(
  world: World,
  row: InstanceRecord,
  input: ModifyInstanceAttributeRequest,
): void {
  if (input.BlockDeviceMappings !== undefined && input.BlockDeviceMappings.length > 0) {
    changeDevices(world, row, input.BlockDeviceMappings);
    return;
  }
  if (input.Groups !== undefined)
    changePrimary(world, row, {
      groupIds: checkedGroups(world, { id: row.subnetId, vpcId: row.vpcId }, input.Groups),
    });
  else if (input.SourceDestCheck !== undefined)
    changePrimary(world, row, { sourceDestCheck: input.SourceDestCheck.Value ?? true });
  else world.instances.update(row.id, changeOf(row, input));
}

function changePrimary(
  world: World,
  row: InstanceRecord,
  change: { readonly groupIds?: readonly string[]; readonly sourceDestCheck?: boolean },
): void {
  const primary = interfacesOf(world, row).find((each) => each.attachment?.deviceIndex === 0);
  if (primary === undefined) throw incorrectState(row, "running");
  world.interfaces.update(primary.id, change);
}

function incorrectState(row: InstanceRecord, wanted: string): Ec2Error {
  return new Ec2Error(
    "IncorrectInstanceState",
    `The instance '${row.id}' is not in the '${wanted}' state.`,
  );
}

/** A mapping that leaves DeleteOnTermination out sets it to true: the trap of ec2-facts §2. */
function changeDevices(
  world: World,
  row: InstanceRecord,
  mappings: readonly InstanceBlockDeviceMappingSpecification[],
): void {
  const changes = mappings.map((mapping) => {
    const device = required(mapping.DeviceName, "DeviceName");
    const volume = volumeAt(world, row, device);
    if (volume?.attachment === undefined)
      throw new Ec2Error(
        "InvalidInstanceAttributeValue",
        `No device is currently mapped at ${device}`,
      );
    const deleteOnTermination = mapping.Ebs?.DeleteOnTermination ?? true;
    return { id: volume.id, attachment: { ...volume.attachment, deleteOnTermination } };
  });
  for (const { id, attachment } of changes) world.volumes.update(id, { attachment });
}

function changeOf(
  row: InstanceRecord,
  input: ModifyInstanceAttributeRequest,
): Partial<InstanceRecord> {
  const old = (name: string) => (input.Attribute === name ? input.Value : undefined);
  const oldFlag = (name: string) => {
    const text = old(name);
    return text === undefined ? undefined : text === "true";
  };
  const disableApiTermination =
    input.DisableApiTermination?.Value ?? oldFlag("disableApiTermination");
  if (disableApiTermination !== undefined) return protection(row, disableApiTermination);
  const disableApiStop = input.DisableApiStop?.Value ?? oldFlag("disableApiStop");
  if (disableApiStop !== undefined) return { disableApiStop };
  const behavior =
    input.InstanceInitiatedShutdownBehavior?.Value ?? old("instanceInitiatedShutdownBehavior");
  if (behavior !== undefined) return { shutdownBehavior: behaviorOf(behavior) };
  const instanceType = input.InstanceType?.Value ?? old("instanceType");
  if (instanceType !== undefined) return typeChange(row, instanceType);
  const ebsOptimized = input.EbsOptimized?.Value ?? oldFlag("ebsOptimized");
  if (ebsOptimized !== undefined) return whileStopped(row, { ebsOptimized });
  const userData = userDataText(input) ?? old("userData");
  if (userData !== undefined) return whileStopped(row, { userData });
  const enaSupport = input.EnaSupport?.Value;
  if (enaSupport !== undefined) return whileStopped(row, { enaSupport });
  throw notSimulated(`changing the instance attribute ${input.Attribute ?? "named"}`);
}

function protection(row: InstanceRecord, disableApiTermination: boolean) {
  if (row.isSpot && disableApiTermination)
    throw new Ec2Error(
      "UnsupportedOperation",
      "You can't enable termination protection for a Spot Instance.",
    );
  return { disableApiTermination };
}

function behaviorOf(text: string): "stop" | "terminate" {
  if (text === "stop" || text === "terminate") return text;
  throw invalidValue(`Value (${text}) for parameter instanceInitiatedShutdownBehavior is invalid.`);
}

function typeChange(row: InstanceRecord, instanceType: string): Partial<InstanceRecord> {
  if (row.isSpot)
    throw new Ec2Error(
      "UnsupportedOperation",
      "The instance type of a Spot Instance cannot be changed.",
    );
  const facts = typeFacts(instanceType);
  if (!facts.architectures.includes(row.architecture))
    throw invalidValue(
      `The instance type '${instanceType}' does not support the architecture '${row.architecture}'.`,
    );
  return whileStopped(row, { instanceType });
}

function whileStopped(row: InstanceRecord, change: Partial<InstanceRecord>) {
  if (row.state !== "stopped") throw incorrectState(row, "stopped");
  return change;
}

/** The SDK carries user data here as bytes, in RunInstances as base64 text. */
function userDataText(input: ModifyInstanceAttributeRequest): string | undefined {
  const value: unknown = input.UserData?.Value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  return typeof value === "string" ? value : undefined;
}

function modifyMetadataOptions(
  world: World,
  input: ModifyInstanceMetadataOptionsRequest,
): ModifyInstanceMetadataOptionsResult {
  const row = instanceOf(world, input.InstanceId);
  const { metadata: before } = row;
  const changed = world.instances.update(row.id, {
    metadata: {
      httpTokens: input.HttpTokens ?? before.httpTokens,
      httpEndpoint: input.HttpEndpoint ?? before.httpEndpoint,
      httpPutResponseHopLimit: input.HttpPutResponseHopLimit ?? before.httpPutResponseHopLimit,
      httpProtocolIpv6: input.HttpProtocolIpv6 ?? before.httpProtocolIpv6,
      instanceMetadataTags: input.InstanceMetadataTags ?? before.instanceMetadataTags,
    },
  });
  return { InstanceId: row.id, InstanceMetadataOptions: metadataView(changed) };
}

function describeCredits(
  world: World,
  input: DescribeInstanceCreditSpecificationsRequest,
): DescribeInstanceCreditSpecificationsResult {
  const ids = input.InstanceIds ?? [];
  const rows =
    ids.length > 0
      ? findAll(world.instances, nouns.instance, ids)
      : [...world.instances.all()].filter((row) => row.cpuCredits === "unlimited");
  const unfit = rows.find((row) => row.cpuCredits === undefined);
  if (unfit !== undefined)
    throw new Ec2Error(
      "InvalidParameterCombination",
      `The instance '${unfit.id}' is not a burstable performance instance.`,
    );
  const InstanceCreditSpecifications: InstanceCreditSpecification[] = rows.map((row) => ({
    InstanceId: row.id,
    CpuCredits: row.cpuCredits,
  }));
  return { InstanceCreditSpecifications };
}

export const instanceAttributeActions = {
  DescribeInstanceAttribute: action<DescribeInstanceAttributeRequest, InstanceAttribute>(
    { Attribute: true, InstanceId: true },
    describeInstanceAttribute,
  ),
  ModifyInstanceAttribute: action<ModifyInstanceAttributeRequest, object>(
    {
      Attribute: true,
      BlockDeviceMappings: {
        DeviceName: true,
        Ebs: { DeleteOnTermination: true, VolumeId: true },
      },
      DisableApiStop: true,
      DisableApiTermination: true,
      EbsOptimized: true,
      EnaSupport: true,
      Groups: true,
      InstanceId: true,
      InstanceInitiatedShutdownBehavior: true,
      InstanceType: true,
      SourceDestCheck: true,
      UserData: true,
      Value: true,
    },
    modifyInstanceAttribute,
  ),
  ModifyInstanceMetadataOptions: action<
    ModifyInstanceMetadataOptionsRequest,
    ModifyInstanceMetadataOptionsResult
  >({ ...honouredMetadata, InstanceId: true }, modifyMetadataOptions),
  DescribeInstanceCreditSpecifications: action<
    DescribeInstanceCreditSpecificationsRequest,
    DescribeInstanceCreditSpecificationsResult
  >({ InstanceIds: true }, describeCredits),
};
