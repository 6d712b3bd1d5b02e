/** Which texts each surface is sent; tests/checkKeys.ts compares this with what its code asks for. */
export const SURFACE_TEXTS = {
  section: /^(?:@|action\.|channel\.|checklist\.|done\.|error\.|field\.|section\.|state\.|strength\.|text\.|violation\.)/,
  webmail: /^(?:@|error\.|field\.new$|section\.title$|shell\.|state\.offline$|text\.)/,
  'user-panel': /^(?!adminPanel\.|notice\.|module\.)/,
  'admin-panel': /^(?!userPanel\.|notice\.|module\.)/,
} as const satisfies Record<string, RegExp>;

export type Surface = keyof typeof SURFACE_TEXTS;
