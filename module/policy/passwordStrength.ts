import { ZxcvbnFactory } from '@zxcvbn-ts/core';
import { adjacencyGraphs, dictionary } from '@zxcvbn-ts/language-common';

/** zxcvbn takes time with the length; what is strong in its first 64 characters is strong. */
const LONGEST = 64;

const zxcvbn = new ZxcvbnFactory({ dictionary, graphs: adjacencyGraphs });

/** How hard a password is to guess: 0 (at once) to 4. Heavy to load and slow to run: imported only when needed. */
export const strength = (password: string): number => zxcvbn.check([...password.normalize('NFC')].slice(0, LONGEST).join('')).score;
