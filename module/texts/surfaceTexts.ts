/** Which texts each surface is sent: what its code asks for and nothing else (tests/checkKeys.ts compares both ways). */
export const SURFACE_TEXTS = {
  section: /^(?:@|action\.|channel\.|checklist\.|done\.|error\.|field\.|section\.(?!title$)|state\.|strength\.|text\.|violation\.)/,
  webmail: /^(?:@|error\.|field\.new$|section\.(?:retry|title)$|shell\.|state\.(?:broken|offline)$|text\.)/,
  'user-panel': /^(?:@|action\.(?!logInAgain$)|channel\.|checklist\.|done\.(?!title$)|error\.|field\.|panel\.(?!more$)|section\.(?!title$|loadFailed$)|shell\.(?:address|changed|ended|language|logIn|logOut|thisOne)$|state\.|strength\.|text\.|userPanel\.|violation\.)/,
  'admin-panel': /^(?:@|action\.(?:busy|copied|copy|copyFailed)$|adminPanel\.|channel\.|checklist\.|done\.(?!remind$|title$)|error\.(?!METHOD_NOT_ALLOWED$|NOT_FOUND$|PASSWORD_CHANGE_REQUIRED$|REQUEST_MEDIA_TYPE$|REQUEST_TOO_LARGE$)|field\.(?!confirm$|current$)|panel\.(?!copyFailed$)|section\.(?:loading|maintenance|retry)$|shell\.(?:close|ended|language|logIn|logOut)$|state\.|strength\.|text\.|violation\.(?!CURRENT_PASSWORD_WRONG$|PASSWORD_IS_CURRENT$|UNKNOWN_KEY$|WRONG_TYPE$))/,
} as const satisfies Record<string, RegExp>;

export type Surface = keyof typeof SURFACE_TEXTS;
