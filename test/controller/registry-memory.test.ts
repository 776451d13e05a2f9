// The registry in memory keeps what every registry promises.

import { createMemoryControllerRegistry } from "../../src/controller/memory-registry";
import { controllerRegistrySuite } from "./registry-suite";

controllerRegistrySuite("memory", async () => {
  const registry = createMemoryControllerRegistry();
  return { registry, another: () => registry };
});
