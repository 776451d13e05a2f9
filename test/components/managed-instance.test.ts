/**
 * What the component registers with Pulumi, by Pulumi's own mocks. That the engine accepts it is
 * proven end to end, not here.
 */
import * as pulumi from "@pulumi/pulumi";
import { specProperties } from "../../src/engine/spec";
import { PROVIDER_STUB } from "../../src/provider/stub";

const identityType = "pulumi-nodejs:dynamic/managed-instance:ManagedInstance";
const componentType = "pulumi-managed-instance:index:ManagedInstance";
const facts = {
  state: "running",
  generation: 3,
  lineage: 2,
  imageId: "ami-00000001",
  instanceId: "i-1",
  privateIp: "10.0.0.5",
};
const args = {
  imageId: "ami-00000001",
  instanceTypes: ["m5.large"],
  subnetIds: ["subnet-00000001"],
};

let registered: pulumi.runtime.MockResourceArgs[] = [];
let answersFacts = true;

const mocks: pulumi.runtime.Mocks = {
  newResource(resource) {
    registered.push(resource);
    const state = answersFacts ? { ...resource.inputs, facts } : resource.inputs;
    return { id: resource.id || `${resource.name}-id`, state };
  },
  call: ({ inputs }) => inputs,
};

beforeAll(() => pulumi.runtime.setMocks(mocks, "project", "stack", false, "org"));
beforeEach(() => {
  registered = [];
  answersFacts = true;
});

/** Loaded after the mocks are set. */
const component = () =>
  (require("../../components") as typeof import("../../components")).ManagedInstance;

const resolved = <Value>(output: pulumi.Output<Value>) =>
  new Promise<Value>((resolve) => {
    output.apply((value) => {
      resolve(value);
    });
  });

const identity = () => registered.find(({ type }) => type === identityType);

test("it is one component with one child that carries its name, the frozen stub and a creation key", async () => {
  const instance = new (component())("db", args);
  await resolved(instance.instanceId);
  expect(registered.map(({ type, name }) => [type, name])).toEqual([
    [componentType, "db"],
    [identityType, "db"],
  ]);
  expect(identity()?.inputs).toEqual({
    ...args,
    creationKey: `org/${await resolved(instance.urn)}`,
    __provider: PROVIDER_STUB,
  });
  expect(await resolved(instance.urn)).toContain(`${componentType}::db`);
});

test("two of one name in different components have different creation keys", async () => {
  class Group extends pulumi.ComponentResource {
    readonly instance;
    constructor(name: string) {
      super("test:index:Group", name);
      this.instance = new (component())("db", args, { parent: this });
    }
  }
  class OtherGroup extends pulumi.ComponentResource {
    readonly instance;
    constructor(name: string) {
      super("test:index:OtherGroup", name);
      this.instance = new (component())("db", args, { parent: this });
    }
  }
  await resolved(new Group("a").instance.id);
  await resolved(new OtherGroup("b").instance.id);
  const keys = registered.flatMap(({ inputs }) => inputs.creationKey ?? []);
  expect(new Set(keys).size).toBe(2);
});

test("outputs are the facts of the child", async () => {
  const instance = new (component())("db", args);
  expect(await resolved(instance.id)).toBe("db-id");
  expect(await resolved(instance.state)).toBe("running");
  expect(await resolved(instance.generation)).toBe(3);
  expect(await resolved(instance.lineage)).toBe(2);
  expect(await resolved(instance.privateIp)).toBe("10.0.0.5");
  expect(await resolved(instance.rootVolumeId)).toBeUndefined();
});

test("a user's own unit tests need not know of the facts", async () => {
  answersFacts = false;
  const instance = new (component())("db", args);
  expect(await resolved(instance.id)).toBe("db-id");
  expect(await resolved(instance.instanceId)).toBeUndefined();
});

test("user data is a secret even when it was given as plain text", async () => {
  const instance = new (component())("db", { ...args, userData: "#!/bin/sh" });
  await resolved(instance.id);
  expect(identity()?.inputs.userData).toMatchObject({
    "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
    value: "#!/bin/sh",
  });
});

test("get reads an existing one by its id and declares nothing", async () => {
  const instance = component().get("old", "pmi-0123456789ab");
  expect(await resolved(instance.id)).toBe("pmi-0123456789ab");
  expect(await resolved(instance.instanceId)).toBe("i-1");
  expect(identity()?.inputs).toEqual({ __provider: PROVIDER_STUB });
});

test("every property of the spec can be given, and nothing is changed on the way", async () => {
  const all = Object.fromEntries(specProperties.map((name) => [name, `value of ${name}`]));
  const instance = new (component())("db", all as unknown as typeof args);
  await resolved(instance.id);
  expect(Object.keys(identity()?.inputs ?? {}).sort()).toEqual(
    [...specProperties, "creationKey", "__provider"].sort(),
  );
});
