/**
 * Views of rows, written once: whoever polls sees mostly what was there before, and writing an
 * answer costs more than everything else about a call. Rows are never changed but replaced, so a
 * view that shows nothing but its row holds as long as the row. Callers share views and do not
 * change them.
 */
import type { World } from "./world";

type Write<R, V> = (world: World, row: R) => V;

/** For a view that shows its row alone; `isFinal` excepts rows whose view also follows the time. */
export function keptByRow<R extends object, V>(
  write: Write<R, V>,
  isFinal: (row: R) => boolean = () => true,
): Write<R, V> {
  const views = new WeakMap<R, V>();
  return (world, row) => {
    const known = views.get(row);
    if (known !== undefined) return known;
    const view = write(world, row);
    if (isFinal(row)) views.set(row, view);
    return view;
  };
}

const nothingElse = () => [];

/**
 * For a view that shows names and addresses around it, too: it holds until any of those is written.
 * `others` are the rows, or parts of rows, of which it shows something besides.
 */
export function keptWithSurroundings<R extends object, V>(
  write: Write<R, V>,
  others: (world: World, row: R) => readonly unknown[] = nothingElse,
): Write<R, V> {
  const views = new WeakMap<R, { view: V; writes: number; shown: readonly unknown[] }>();
  return (world, row) => {
    const known = views.get(row);
    const shown = others(world, row);
    const writes = world.surroundingWrites;
    const holds = known?.writes === writes && known.shown.every((each, at) => each === shown[at]);
    if (known !== undefined && holds) return known.view;
    const view = write(world, row);
    views.set(row, { view, writes, shown });
    return view;
  };
}
