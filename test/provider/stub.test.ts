import { COMPONENT_TYPE, PROVIDER_STUB, RESOURCE_TYPE } from "../../src/provider/stub";

test("the text and the types that old state holds are the same for ever", () => {
  expect(PROVIDER_STUB).toBe(
    'exports.handler=()=>require("pulumi-managed-instance/provider").provider;',
  );
  expect(Buffer.byteLength(PROVIDER_STUB)).toBe(73);
  expect(RESOURCE_TYPE).toBe("pulumi-nodejs:dynamic/managed-instance:ManagedInstance");
  expect(COMPONENT_TYPE).toBe("pulumi-managed-instance:index:ManagedInstance");
});
