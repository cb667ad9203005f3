/** Server-sent events out of pieces of text (the WHATWG's format), for streams that are fetched with a header. */

export interface Message {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

/** Reads a stream piece by piece; an event that has not ended yet waits for the next piece. */
export class Reader {
  #rest = "";
  #id = "";
  #event = "";
  #data: string[] = [];

  /** The events that this piece completes. */
  read(piece: string): Message[] {
    const lines = (this.#rest + piece).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? "";
    const found: Message[] = [];
    for (const line of lines) {
      if (line === "") {
        if (this.#data.length > 0) found.push({ id: this.#id, event: this.#event || "message", data: this.#data.join("\n") });
        this.#event = "";
        this.#data = [];
      } else this.#field(line);
    }
    return found;
  }

  #field(line: string): void {
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + (line[colon + 1] === " " ? 2 : 1));
    if (name === "data") this.#data.push(value);
    else if (name === "event") this.#event = value;
    else if (name === "id") this.#id = value;
  }
}
