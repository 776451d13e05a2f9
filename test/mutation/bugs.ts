/** Every deliberate bug; `npm run mutate -- --meaning` shows which test or seed catches each. */
import type { Bug } from "./bug";
import { adapterBugs } from "./bugs-adapters";
import { retentionBugs } from "./bugs-retention";
import { rootBugs } from "./bugs-root";
import { ruleBugs } from "./bugs-rules";

export const bugs: readonly Bug[] = [...rootBugs, ...retentionBugs, ...ruleBugs, ...adapterBugs];
