import { BerWriter, Control, type Filter } from 'ldapts';

/** RFC 4528: the operation is done only while the filter is true of the entry, judged together with it. Else the answer is {@link ASSERTION_FAILED}. */
export class AssertionControl extends Control {
  static readonly type = '1.3.6.1.1.12';
  readonly #filter: Filter;

  constructor(filter: Filter) {
    super(AssertionControl.type, { critical: true });
    this.#filter = filter;
  }

  protected override writeControl(writer: BerWriter): void {
    const value = new BerWriter();
    this.#filter.write(value);
    writer.writeBuffer(value.buffer, 0x04);
  }
}

export const ASSERTION_FAILED = 122;
