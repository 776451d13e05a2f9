// All rows of the decision table.

import type { Row } from "./expected";
import { carrierDoubtRows } from "./rows-carrier-doubt";
import { identityRows } from "./rows-identity";
import { identityDoubtRows } from "./rows-identity-doubt";
import { keptRows } from "./rows-kept";
import { launchRows } from "./rows-launch";
import { launchDoubtRows } from "./rows-launch-doubt";
import { launchFailedRows } from "./rows-launch-failed";
import { outsideRows } from "./rows-outside";
import { restRows } from "./rows-rest";
import { restDoubtRows } from "./rows-rest-doubt";
import { rootRows } from "./rows-root";
import { rootDoubtRows } from "./rows-root-doubt";
import { stopRows } from "./rows-stop";
import { stopDoubtRows } from "./rows-stop-doubt";
import { upkeepRows } from "./rows-upkeep";
import { upkeepDoubtRows } from "./rows-upkeep-doubt";

export const rows: readonly Row[] = [
  ...identityRows,
  ...identityDoubtRows,
  ...carrierDoubtRows,
  ...rootRows,
  ...rootDoubtRows,
  ...launchRows,
  ...launchDoubtRows,
  ...launchFailedRows,
  ...stopRows,
  ...stopDoubtRows,
  ...restRows,
  ...restDoubtRows,
  ...upkeepRows,
  ...upkeepDoubtRows,
  ...keptRows,
  ...outsideRows,
];
