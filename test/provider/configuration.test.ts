/** What of the stack's configuration and the environment counts. */
import { readConfiguration } from "../../src/provider/configuration";
import { optionsFor } from "../../src/provider/connection";

const read = (config: Record<string, string>, environment: Record<string, string> = {}) =>
  readConfiguration((key) => config[key], environment);

const credentialVariables = ["AWS_ACCESS_KEY_ID", "AWS_PROFILE"];
let saved: Record<string, string | undefined>;
beforeEach(() => {
  saved = Object.fromEntries(credentialVariables.map((name) => [name, process.env[name]]));
  for (const name of credentialVariables) delete process.env[name];
});
afterEach(() => {
  for (const [name, value] of Object.entries(saved)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});

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

test.each(["http://127.0.0.1:4599", "http://localhost:4599", "http://[::1]:4599"])(
  "%s is loopback and needs no credentials of AWS",
  (endpoint) => {
    expect(optionsFor("us-east-1", { endpoint, unsupported: [] }).credentials).toBeDefined();
  },
);

test("anything but loopback gets only what AWS's own chain finds", () => {
  for (const endpoint of [undefined, "https://ec2.example.com", "http://127.0.0.1.example.com"]) {
    const { credentials } = optionsFor("us-east-1", { endpoint, unsupported: [] });
    expect(credentials).toBeUndefined();
  }
});

test("credentials that are set go before stand-ins, on loopback, too", () => {
  process.env.AWS_ACCESS_KEY_ID = "AKIA";
  const options = optionsFor("us-east-1", { endpoint: "http://localhost:1", unsupported: [] });
  expect(options.credentials).toBeUndefined();
});
