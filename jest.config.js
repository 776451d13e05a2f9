/** @type {import("jest").Config} */
module.exports = {
  testEnvironment: "node",
  // A bound for what hangs, not a measure of speed: busy machines run these too.
  testTimeout: 60_000,
  roots: ["<rootDir>/test"],
  testMatch: ["**/*.test.ts"],
  transform: {
    "^.+\\.ts$": [
      "@swc/jest",
      {
        jsc: {
          parser: { syntax: "typescript" },
          target: "es2022",
          transform: { useDefineForClassFields: false },
        },
        module: { type: "commonjs" },
      },
    ],
  },
  moduleNameMapper: {
    "^pulumi-managed-instance$": "<rootDir>/components/index.ts",
    "^pulumi-managed-instance/controller$": "<rootDir>/components/controller/index.ts",
    "^pulumi-managed-instance/provider$": "<rootDir>/src/provider/index.ts",
    "^pulumi-managed-instance/simulator$": "<rootDir>/src/simulator/index.ts",
  },
};
