import { parentPort } from 'node:worker_threads';
import { strength } from '../../module/policy/passwordStrength.ts';

/** Works out the strength beside the service: a long bad password takes zxcvbn a third of a second. */
parentPort?.on('message', (password: string) => { parentPort?.postMessage(strength(password)); });
parentPort?.postMessage('ready');
