/** What the package, which has no types of its own, makes of Prometheus' text: the parts that are looked at. */
declare module 'parse-prometheus-text-format' {
  export type Family = {
    name: string;
    type: string;
    metrics: {
      labels?: Record<string, string>;
      value?: string;
      count?: string;
      buckets?: Record<string, string>;
    }[];
  };
  export default function parse(text: string): Family[];
}
