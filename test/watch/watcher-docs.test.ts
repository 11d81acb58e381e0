/** What docs/watch.md tells people to deploy: commands that the program takes, and units that can be read. */
import {readFileSync} from 'node:fs';
import {resolve} from 'node:path';
import {expect, test} from 'vitest';
import {parseAllDocuments} from 'yaml';
import {parse} from '../../source/commands/parse.js';

const text = readFileSync(resolve(import.meta.dirname, '../../docs/watch.md'), 'utf8');
const blocks = (kind: string): string[] =>
  [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].filter(match => match[1] === kind).map(match => match[2]!);

type Container = {
  name: string;
  args?: string[];
  securityContext: Record<string, unknown>;
  livenessProbe?: object;
};
type PodSpec = {
  containers: Container[];
  initContainers?: Container[];
  securityContext: Record<string, unknown>;
  terminationGracePeriodSeconds: number;
  volumes: {name: string}[];
};
type Manifest = {
  kind: string;
  spec: {
    template: {spec: PodSpec};
    jobTemplate: {spec: {template: {spec: PodSpec}}};
    concurrencyPolicy?: string;
  };
};

const manifests = (): Manifest[] =>
  blocks('yaml').flatMap(block =>
    parseAllDocuments(block, {strict: true, uniqueKeys: true}).map(document => {
      expect(document.errors).toEqual([]);
      return document.toJS() as Manifest;
    }),
  );
const podOf = ({kind, spec}: Manifest): PodSpec =>
  kind === 'CronJob' ? spec.jobTemplate.spec.template.spec : spec.template.spec;

test('the shell examples are commands that the program takes', () => {
  const lines = blocks('sh')
    .join('')
    .trim()
    .split('\n')
    .map(line => line.replace(/#.*$/, '').trim());
  expect(lines.length).toBeGreaterThan(3);
  for (const line of lines) {
    const [program, ...words] = line.split(/\s+/);
    expect(program).toBe('sesstui');
    expect(parse(words).command?.name).toBe('watch');
  }
});

test('the systemd unit starts a watch that finds its state directory and is given time to stop', () => {
  const unit = blocks('ini')[0]!;
  const settings = new Map(
    unit
      .split('\n')
      .filter(line => /^\w+=/.test(line))
      .map(line => [line.split('=')[0]!, line.replace(/^\w+=/, '')]),
  );
  const [, ...words] = settings.get('ExecStart')!.split(' ');
  const {command, flags} = parse(words);
  expect(command?.name).toBe('watch');
  // biome-ignore lint/suspicious/noTemplateCurlyInString: systemd's own
  expect(flags.text('state-dir')).toBe('${STATE_DIRECTORY}');
  expect(flags.has('yes')).toBe(true);
  expect(settings.get('StateDirectory')).toBe('sesstui');
  expect(settings.get('SuccessExitStatus')).toBe('130');
  expect(Number(settings.get('TimeoutStopSec'))).toBeGreaterThan(30);
});

test('the manifests can be read, call the program rightly and run without rights', () => {
  const pods = manifests().filter(({kind}) => kind !== 'PersistentVolumeClaim');
  expect(pods.map(({kind}) => kind)).toEqual(['Deployment', 'CronJob']);
  for (const manifest of pods) {
    const pod = podOf(manifest);
    expect(pod.securityContext).toMatchObject({runAsNonRoot: true});
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(30);
    for (const container of [...pod.containers, ...(pod.initContainers ?? [])])
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: {drop: ['ALL']},
      });
  }
  const [watch, clean] = pods.map(manifest => parse(podOf(manifest).containers[0]!.args!));
  expect([watch!.command?.name, clean!.command?.name]).toEqual(['watch', 'clean']);
  expect(watch!.flags.text('listen')).toBe('0.0.0.0:9000');
  expect(clean!.flags.has('all')).toBe(true);
  expect(pods[1]!.spec.concurrencyPolicy).toBe('Forbid');
});
