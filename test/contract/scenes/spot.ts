/** Spot: what a launch may ask for, and its request's life (ec2-facts §1.4, §11). */
import assert from "node:assert/strict";
import type { SpotMarketOptions } from "@aws-sdk/client-ec2";
import { scene } from "../scene";
import {
  expectRefused,
  instanceById,
  launched,
  launchOn,
  newInterface,
  only,
  plainLaunch,
  refusalOf,
  until,
  untilInstance,
} from "../steps";

const oneTime: SpotMarketOptions = {
  SpotInstanceType: "one-time",
  InstanceInterruptionBehavior: "terminate",
};

export const spot = scene(
  "a Spot instance",
  async (stage) => {
    const anchor = await newInterface(stage, "spot-anchor");
    const request = (token: string, SpotOptions: SpotMarketOptions) =>
      launchOn(stage, anchor, token, {
        InstanceMarketOptions: { MarketType: "spot", SpotOptions },
      });
    const requestOf = async (id: string) => {
      const { SpotInstanceRequests } = await stage.ec2.describeSpotInstanceRequests({
        SpotInstanceRequestIds: [id],
      });
      return only(SpotInstanceRequests, "Spot request");
    };
    // What is to be refused names no interface, so that a target that accepts it spoils nothing.
    const apart = (token: string, SpotOptions: SpotMarketOptions) =>
      plainLaunch(stage, token, { InstanceMarketOptions: { MarketType: "spot", SpotOptions } });
    return { stage, request, apart, requestOf, instanceId: "", requestId: "" };
  },
  [
    {
      sentence: "a price of a tenth of a cent is no price",
      fact: "§1.4",
      check: ({ stage, apart }) =>
        expectRefused(
          stage.ec2.runInstances(apart("spot-free", { ...oneTime, MaxPrice: "0.001" })),
          "InvalidParameterValue",
          "SpotMaxPriceTooLow",
        ),
    },
    {
      sentence: "a price below the market's is too low",
      fact: "§1.5",
      check: async ({ stage, apart }) => {
        const launch = apart("spot-low", { ...oneTime, MaxPrice: "0.0011" });
        const { code, status } = await refusalOf(stage.ec2.runInstances(launch));
        assert.deepEqual([code, Math.floor(status / 100)], ["SpotMaxPriceTooLow", 4]);
      },
    },
    {
      sentence: "a persistent request that terminates is refused",
      fact: "§1.4",
      check: ({ stage, apart }) =>
        expectRefused(
          stage.ec2.runInstances(
            apart("spot-persistent", { ...oneTime, SpotInstanceType: "persistent" }),
          ),
          "InvalidParameterCombination",
          "InvalidParameterValue",
        ),
    },
    {
      sentence: "a one-time request that stops is refused",
      fact: "§1.4",
      check: ({ stage, apart }) =>
        expectRefused(
          stage.ec2.runInstances(
            apart("spot-stop", { ...oneTime, InstanceInterruptionBehavior: "stop" }),
          ),
          "InvalidParameterCombination",
          "InvalidParameterValue",
        ),
    },
    {
      sentence: "a Spot instance has no termination protection",
      fact: "§11",
      check: ({ stage, apart }) =>
        expectRefused(
          stage.ec2.runInstances({
            ...apart("spot-protected", oneTime),
            DisableApiTermination: true,
          }),
          "InvalidParameterCombination",
          "InvalidParameterValue",
          "UnsupportedOperation",
        ),
    },
    {
      sentence: "a Spot launch takes an existing interface and says that it is Spot",
      fact: "§1.3",
      check: async (context) => {
        const { stage } = context;
        context.instanceId = await launched(stage, context.request("spot", oneTime));
        const found = await untilInstance(stage, context.instanceId, "running");
        assert.equal(found.InstanceLifecycle, "spot");
        context.requestId = found.SpotInstanceRequestId ?? "";
        assert.match(context.requestId, /^sir-/);
      },
    },
    {
      sentence: "the same token with the same Spot launch is the same instance",
      fact: "§1.1",
      check: async ({ stage, request, instanceId }) =>
        assert.equal(await launched(stage, request("spot", oneTime)), instanceId),
    },
    {
      sentence: "its request is active and fulfilled",
      fact: "§1.4",
      check: async ({ stage, requestOf, requestId }) => {
        const found = await until(stage, "the request", () => requestOf(requestId));
        assert.deepEqual([found.State, found.Status?.Code], ["active", "fulfilled"]);
      },
    },
    {
      sentence: "its request names the instance",
      fact: "§1.4",
      check: async ({ requestOf, requestId, instanceId }) =>
        assert.equal((await requestOf(requestId)).InstanceId, instanceId),
    },
    {
      sentence: "cancelling an active request leaves its instance running",
      fact: "§1.4",
      check: async ({ stage, requestId, instanceId }) => {
        await stage.ec2.cancelSpotInstanceRequests({ SpotInstanceRequestIds: [requestId] });
        await stage.clock.sleep(stage.patience.pollSeconds * 1000);
        assert.equal((await instanceById(stage, instanceId)).State?.Name, "running");
      },
    },
    {
      sentence: "a request that was cancelled under its instance says so",
      fact: "§1.4",
      check: async ({ stage, requestOf, requestId }) => {
        await until(stage, "request-canceled-and-instance-running", async () => {
          const { Status } = await requestOf(requestId);
          return Status?.Code === "request-canceled-and-instance-running" ? true : undefined;
        });
      },
    },
    {
      sentence: "a one-time Spot instance cannot be stopped",
      fact: "§11",
      check: ({ stage, instanceId }) =>
        expectRefused(
          stage.ec2.stopInstances({ InstanceIds: [instanceId] }),
          "UnsupportedOperation",
        ),
    },
    {
      sentence: "a terminated Spot instance is listed with its user as the reason",
      fact: "§1.4",
      check: async ({ stage, instanceId }) => {
        await stage.ec2.terminateInstances({ InstanceIds: [instanceId] });
        const { StateReason } = await untilInstance(stage, instanceId, "terminated");
        assert.equal(StateReason?.Code, "Client.UserInitiatedShutdown");
      },
    },
    {
      sentence: "a request ends with its instance",
      fact: "§1.4",
      check: async ({ stage, apart, requestOf }) => {
        const instanceId = await launched(stage, apart("spot-second", oneTime));
        const { SpotInstanceRequestId = "" } = await untilInstance(stage, instanceId, "running");
        await stage.ec2.terminateInstances({ InstanceIds: [instanceId] });
        await untilInstance(stage, instanceId, "terminated");
        const ended = await until(stage, "the request is closed", async () => {
          const found = await requestOf(SpotInstanceRequestId);
          return found.State === "closed" ? found : undefined;
        });
        assert.equal(ended.Status?.Code, "instance-terminated-by-user");
      },
    },
  ],
);
