/** On its own, because only webpack understands how a worker is named here. */
export const startStrengthWorker = (): Worker => new Worker(/* webpackChunkName: "strength" */ new URL('./strength.worker.ts', import.meta.url), { type: 'module' });
