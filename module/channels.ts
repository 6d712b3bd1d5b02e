/** The ways into a mailbox that a log-out ends; what people are told is counted by these. */
export const CHANNELS = ['web', 'imap', 'pop3', 'submission', 'managesieve', 'activesync', 'other'] as const;

export type Channel = (typeof CHANNELS)[number];

export type ChannelCounts = Partial<Record<Channel, number>>;

/** Adds up two counts without changing either. */
export function addCounts(left: ChannelCounts, right: ChannelCounts): ChannelCounts {
  const sum: ChannelCounts = { ...left };
  for (const channel of CHANNELS) {
    const count = right[channel];
    if (count !== undefined) sum[channel] = (sum[channel] ?? 0) + count;
  }
  return sum;
}
