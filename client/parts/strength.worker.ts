import { strength } from '../../module/policy/passwordStrength.ts';

/** Works out the strength beside the page, so that typing never waits for it. */
addEventListener('message', ({ data }: MessageEvent<string>) => {
  postMessage({ password: data, score: strength(data) });
});
