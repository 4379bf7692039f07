/** What a soak is: so many minutes of faults under load, and a verdict. */
export interface Soak {
  name: string;
  about: string;
  /** Of faults, unless told otherwise. */
  minutes: number;
  run(options: { minutes: number; say: (progress: string) => void }): Promise<Verdict>;
}

export interface Verdict {
  summary: string;
  /** The promises that were not kept, in words. */
  broken: string[];
}
