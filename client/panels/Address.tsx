/** An address, or a name: where it does not fit it is broken before its domain, not within a word. */
export function Address({ of }: { readonly of: string }) {
  const at = of.lastIndexOf('@');
  return <bdi>{at > 0 ? <>{of.slice(0, at)}<wbr />{of.slice(at)}</> : of}</bdi>;
}
