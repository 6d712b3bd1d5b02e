/** The import rules of the layout: client -> module <- server; drivers know ports, nothing above them. */
const rule = (name, from, to) => ({ name, severity: 'error', from: { path: from }, to: { path: to } });

module.exports = {
  forbidden: [
    rule('client-not-server', '^client/', '^server/'),
    rule('server-not-client', '^server/', '^client/'),
    rule('module-alone', '^module/', '^(client|server)/'),
    rule('module-no-io', '^module/', '^(node:|fs$|net$|http$|child_process$)'),
    rule('drivers-know-ports', '^server/drivers/(accounts|sessions|outbox|audit)/', '^server/(http|useCases|revocation|cli|wiring)'),
    rule('use-cases-know-ports', '^server/useCases/', '^server/(http|drivers|cli|wiring)'),
    // zxcvbn takes up to a third of a second: on the event loop everybody would wait for it.
    { name: 'strength-in-its-thread', severity: 'error', from: { path: '^server/', pathNot: '^server/passwordPolicy/strengthWorker' }, to: { path: '^module/policy/passwordStrength' } },
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true, dependencyTypesNot: ['type-only'] } },
  ],
  options: { doNotFollow: { path: 'node_modules' }, tsPreCompilationDeps: true, tsConfig: { fileName: 'tsconfig.json' } },
};
