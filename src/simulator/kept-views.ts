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

/** For a view that shows other rows too: it holds until anything at all is written. */
export function keptUntilWrite<R extends object, V>(write: Write<R, V>): Write<R, V> {
  const views = new WeakMap<R, { readonly view: V; readonly writes: number }>();
  return (world, row) => {
    const known = views.get(row);
    if (known?.writes === world.writes) return known.view;
    const view = write(world, row);
    views.set(row, { view, writes: world.writes });
    return view;
  };
}
