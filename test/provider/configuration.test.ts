/** What of the stack's configuration and the environment counts. */
import { readConfiguration } from "../../src/provider/configuration";

const read = (config: Record<string, string>, environment: Record<string, string> = {}) =>
  readConfiguration((key) => config[key], environment);

test("Region, endpoint and profile are read, and empty texts count as unset", () => {
  const config = {
    "aws:region": "eu-central-1",
    "aws:profile": "",
    "managed-instance:endpoint": "http://127.0.0.1:4599",
  };
  expect(read(config, { AWS_REGION: "us-east-1" })).toEqual({
    region: "eu-central-1",
    environmentRegion: "us-east-1",
    endpoint: "http://127.0.0.1:4599",
    profile: undefined,
    unsupported: [],
  });
});

test("settings that cannot be honoured are named, unless they are empty", () => {
  expect(
    read({ "aws:accessKey": "AKIA", "aws:assumeRole": "{}", "aws:assumeRoles": "[{}]" })
      .unsupported,
  ).toEqual(["aws:accessKey", "aws:assumeRoles"]);
});
