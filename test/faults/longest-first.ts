import {BaseSequencer, type TestSpecification} from 'vitest/node';

const longest = ['killed-postgres', 'killed-others', 'network.test', 'disks', 'guards-killed'];

/** What takes minutes begins first: at the end it would run alone, and the other workers would have nothing to do. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({moduleId}: TestSpecification): number => {
      const at = longest.findIndex(name => moduleId.includes(`/${name}`));
      return at === -1 ? longest.length : at;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}
