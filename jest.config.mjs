const common = {
  transform: {
    '^.+\\.m?[jt]sx?$': ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript', tsx: true }, transform: { react: { runtime: 'automatic' } } }, module: { type: 'commonjs' } }],
  },
  transformIgnorePatterns: ['/node_modules/(?!@zxcvbn-ts/)'],
  moduleNameMapper: { '\\.css$': '<rootDir>/tests/fixtures/emptyCss.ts', 'startStrengthWorker': '<rootDir>/tests/fixtures/noWorker.ts' },
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
};

export default {
  testTimeout: 30_000,
  projects: [
    { ...common, displayName: 'module', testEnvironment: 'node', testMatch: ['<rootDir>/tests/module/**/*.test.ts'] },
    { ...common, displayName: 'client', testEnvironment: 'jsdom', setupFilesAfterEnv: ['<rootDir>/tests/setupClient.ts'], testMatch: ['<rootDir>/tests/client/**/*.test.tsx'] },
    { ...common, displayName: 'server', testEnvironment: 'node', testMatch: ['<rootDir>/tests/server/**/*.test.ts'] },
    { ...common, displayName: 'e2e', testEnvironment: 'node', testMatch: ['<rootDir>/tests/e2e/**/*.test.ts'] },
  ],
};
