/** The languages of an `Accept-Language` header (RFC 9110, section 12.5.4), most wanted first; a single tag is one, too. */
export function acceptedLanguages(header: string | undefined): readonly string[] {
  const wishes = (header ?? '').slice(0, 500).split(',').flatMap((part, at) => {
    const [tag = '', ...parameters] = part.split(';').map((text) => text.trim());
    const quality = Number(parameters.find((text) => text.startsWith('q='))?.slice(2) ?? 1);
    return tag === '' || tag === '*' || !(quality > 0) ? [] : [{ tag, quality, at }];
  });
  return wishes.sort((left, right) => right.quality - left.quality || left.at - right.at).map(({ tag }) => tag);
}
