/** Every handler, behind one name, so that a front-end loads them together and only when called. */
import { check } from "./check";
import { create } from "./create";
import { deallocate } from "./delete";
import { diff } from "./diff";
import { read } from "./read";
import { update } from "./update";

export const handlers = { check, diff, create, read, update, deallocate };
