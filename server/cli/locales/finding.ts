/** What is wrong with a language file, and what to do about it. */
export interface Finding {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly key: string | null;
  readonly rule: string;
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly suggestion: string;
}

/** A finding before it is known where it stands. */
export interface Complaint {
  readonly rule: string;
  readonly message: string;
  readonly suggestion: string;
  readonly severity?: 'warning';
}

export const complain = (rule: string, message: string, suggestion: string): Complaint => ({ rule, message, suggestion });
export const warn = (rule: string, message: string, suggestion: string): Complaint => ({ rule, message, suggestion, severity: 'warning' });
