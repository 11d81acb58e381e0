/** Placeholders of one request: every name and value of an expression goes through here, none is spliced in. */
import type {AttributeValue} from '@aws-sdk/client-dynamodb';
import {SesstuiError} from '../../source/errors.js';
import {type Attribute, fromAttribute} from './attributes.js';

export type Bindings = {
  /** The placeholder of an attribute's name. Throws `config` for an empty one, which DynamoDB refuses. */
  name(attribute: string): string;
  /** A path of names, a step into maps for each. */
  path(steps: string[]): string;
  value(attribute: Attribute): string;
  /** What a request carries of them; the parts that are empty are left out, because DynamoDB refuses them. */
  request(): {
    ExpressionAttributeNames?: Record<string, string>;
    ExpressionAttributeValues?: Record<string, AttributeValue>;
  };
};

export const bindings = (): Bindings => {
  const names = new Map<string, string>();
  const values = new Map<string, {placeholder: string; value: AttributeValue}>();
  const name = (attribute: string): string => {
    if (attribute === '')
      throw new SesstuiError(
        'config',
        'DynamoDB can not look at an attribute without a name: a name in the check is empty, or a part of it is.',
        'Correct the check in sesstui.yaml.',
      );
    const known = names.get(attribute) ?? `#n${names.size}`;
    names.set(attribute, known);
    return known;
  };
  return {
    name,
    path: steps => steps.map(name).join('.'),
    value: attribute => {
      const text = JSON.stringify(attribute);
      const known = values.get(text) ?? {placeholder: `:v${values.size}`, value: fromAttribute(attribute)};
      values.set(text, known);
      return known.placeholder;
    },
    request: () => ({
      ...(names.size > 0 && {
        ExpressionAttributeNames: Object.fromEntries([...names].map(([a, p]) => [p, a])),
      }),
      ...(values.size > 0 && {
        ExpressionAttributeValues: Object.fromEntries(
          [...values.values()].map(v => [v.placeholder, v.value]),
        ),
      }),
    }),
  };
};
