/**
 * What one survey of many idle managed instances costs, of the kind that compares every entry of the
 * registry: describe calls, processor time and heap. Measured through the AWS SDK, on answers of the
 * embedded EC2 that were recorded before, so that only our side of the wire counts.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createEc2 } from "../src/aws/client";
import { AwsClock } from "../src/aws/clock";
import { createSurveyor } from "../src/controller/survey";
import { type SimulatorRequestHandler, simulatorRequestHandler } from "../src/simulator";
import { type IdleFleet, openIdleFleet } from "../test/controller/idle-fleet";

export interface SurveyCost {
  instances: number;
  calls: number;
  cpuSeconds: number;
  heapMiB: number;
}

/** What 10,000 idle instances may cost, and how much more than 1,000. */
const surveyBounds = { calls: 40, cpuSeconds: 5, heapMiB: 300, growth: 10.5 } as const;

export interface SurveyComparison {
  small: SurveyCost;
  large: SurveyCost;
  /** Of processor time, from the small to the large. */
  growth: number;
}

export async function compareSurveys(): Promise<SurveyComparison> {
  const small = await measure(1000, 12);
  const large = await measure(10_000, 3);
  return { small, large, growth: large.cpuSeconds / small.cpuSeconds };
}

async function measure(instances: number, rounds: number): Promise<SurveyCost> {
  const fleet = await openIdleFleet(instances);
  const account = recorded(fleet);
  await surveyOnce(fleet, account);
  const costs: SurveyCost[] = [];
  for (let round = 0; round < rounds; round += 1) costs.push(await surveyOnce(fleet, account));
  const median = (of: (cost: SurveyCost) => number) =>
    costs.map(of).sort((a, b) => a - b)[rounds >> 1] ?? 0;
  return {
    instances,
    calls: median(({ calls }) => calls),
    cpuSeconds: median(({ cpuSeconds }) => cpuSeconds),
    heapMiB: Math.max(...costs.map(({ heapMiB }) => heapMiB)),
  };
}

interface Account {
  handler: SimulatorRequestHandler;
  /** Told of each call, before it is answered. */
  onCall: () => void;
}

function recorded({ world }: IdleFleet): Account {
  const simulated = simulatorRequestHandler(world.simulator);
  const answers = new Map<string, ReturnType<SimulatorRequestHandler["handle"]>>();
  const account: Account = {
    onCall: () => {},
    handler: {
      ...simulated,
      handle(request) {
        account.onCall();
        const key = String(request.body);
        const answer = answers.get(key) ?? simulated.handle(request);
        answers.set(key, answer);
        return answer;
      },
    },
  };
  return account;
}

const collectGarbage: () => void = (() => {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
})();

const mib = 1024 ** 2;

async function surveyOnce(fleet: IdleFleet, account: Account): Promise<SurveyCost> {
  const { registry, world } = fleet;
  const ec2 = createEc2(
    {
      region: world.simulator.region,
      requestHandler: account.handler,
      credentials: { accessKeyId: "simulated", secretAccessKey: "simulated" },
    },
    new AwsClock(),
  );
  const surveyor = createSurveyor({ ec2, registry, now: () => world.clock.now() });
  collectGarbage();
  const heapBefore = process.memoryUsage().heapUsed;
  let [calls, heapMost] = [0, heapBefore];
  const weigh = () => {
    heapMost = Math.max(heapMost, process.memoryUsage().heapUsed);
  };
  account.onCall = () => {
    calls += 1;
    weigh();
  };
  const before = process.cpuUsage();
  const { shown, wanted } = await surveyor.survey();
  const { user, system } = process.cpuUsage(before);
  weigh();
  if (wanted.length > 0 || shown !== fleet.ids.length) throw new Error("they are not idle");
  return {
    instances: shown,
    calls,
    cpuSeconds: (user + system) / 1e6,
    heapMiB: (heapMost - heapBefore) / mib,
  };
}

export function surveyLines({ growth, large, small }: SurveyComparison): string[] {
  const row = ({ calls, cpuSeconds, heapMiB, instances }: SurveyCost) =>
    `survey of ${instances.toLocaleString("en").padStart(6)}: ${calls} describe calls, ${cpuSeconds.toFixed(2)} s of one core, ${heapMiB.toFixed(0)} MiB of heap`;
  const share = (part: number, bound: number) => `${(part / bound).toFixed(2)} of ${bound}`;
  const { calls, cpuSeconds, growth: growthBound, heapMiB } = surveyBounds;
  return [
    row(small),
    row(large),
    `of its bounds    calls ${share(large.calls, calls)}, seconds ${share(large.cpuSeconds, cpuSeconds)}, MiB ${share(large.heapMiB, heapMiB)}, growth ${growth.toFixed(1)}: ${share(growth, growthBound)}`,
  ];
}

/** One sentence for each bound that does not hold. */
export function surveyComplaints({ growth, large }: SurveyComparison): string[] {
  const measured = { ...large, growth };
  return (["calls", "cpuSeconds", "heapMiB", "growth"] as const)
    .filter((bound) => measured[bound] > surveyBounds[bound])
    .map((bound) => `survey: ${bound} is ${measured[bound]}, more than ${surveyBounds[bound]}`);
}
