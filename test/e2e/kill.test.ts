/**
 * The real Pulumi engine cut off in the middle of ten operations, in four ways. A hundred are cut off
 * in the recorded campaign (docs/proof.md); another seed by KILL_SEED, more by `npm run kill`.
 */
import { killCampaign } from "./kill-campaign";

const minutes = 60_000;

test(
  "whatever of pulumi is killed and whenever, the next run completes: one instance, every byte",
  async () => {
    const seed = Number(process.env.KILL_SEED ?? 2);
    const cuts = await killCampaign({ times: 10, seed });
    expect(cuts.filter(({ missed }) => !missed)).toHaveLength(10);
  },
  20 * minutes,
);
