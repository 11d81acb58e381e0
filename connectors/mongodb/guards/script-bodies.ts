/** The bodies of the scripts, in JavaScript for mongosh; what varies stands before them as constants. */

const asking = `  const ask = command => {
    try {
      return database.runCommand(command);
    } catch (error) {
      return {ok: 0, code: error.code, errmsg: error.message};
    }
  };
  const must = command => {
    const reply = ask(command);
    if (!reply.ok) throw new Error(reply.errmsg);
    return reply;
  };
  const found = must({listCollections: 1, filter: {name: name}}).cursor.firstBatch[0];`;

const indexes = `  const isOn = spec =>
    Object.keys(spec.key).length === 1 && id in spec.key && Math.abs(Number(spec.key[id])) === 1;
  const isOdd = spec => Boolean(spec.sparse || spec.partialFilterExpression || spec.collation);
  const listed = () => must({listIndexes: name, cursor: {batchSize: 1000}}).cursor.firstBatch;
  const bare = each => Object.fromEntries(Object.entries(each).filter(([option]) => !['v', 'ns'].includes(option)));
  const drop = dropped => ask({dropIndexes: name, index: dropped});`;

export const upOfUnique = `${asking}
  if (!found) throw new Error('there is no collection ' + name);
${indexes}
  const on = listed().filter(isOn);
  // The server tells nothing of the simple collation, and would give an index the collection's own.
  const again = each => Object.assign({}, bare(each), !each.collation && spec.collation ? {collation: spec.collation} : {});
  if (on.some(each => each.unique && !isOdd(each) && !each.hidden)) {
    print(name + ': there is a unique index on ' + id + ' already');
    return;
  }
  const own = listed().find(each => each.name === index);
  if (own && !isOn(own)) throw new Error('an index on something else has the name ' + index);
  const fit = on.filter(each => !isOdd(each));
  const base = fit.find(each => each.unique) || fit.find(each => each.name === index) || fit[0];
  const isInTheWay = reply => [359, 11000].includes(reply.code) || /UNIQUE constraint failed/.test(reply.errmsg);
  const why = reply =>
    name + ': ' + (isInTheWay(reply) ? 'documents share a ' + id + ', or several have none. Mend them and run this again: ' : '') + reply.errmsg;
  // A collMod of a collection that is not there changes nothing, and tells whether the server knows its words (error 26).
  // Of one that is there it tells (error 72) whether an upgrade was confirmed: until then it does as older servers do.
  const nowhere = 'sesstui_test_' + new Date().getTime();
  const knows = ask({collMod: nowhere, index: {name: nowhere, prepareUnique: true}}).code === 26;
  const converts = knows && ask({collMod: name, index: {name: nowhere, prepareUnique: true}}).code !== 72;
  if (converts && base && base.unique) {
    must({collMod: name, index: {name: base.name, hidden: false}});
  } else if (converts) {
    if (!base) {
      if (own) drop(own.name);
      must({createIndexes: name, indexes: [spec]});
    }
    const made = base ? base.name : index;
    must({collMod: name, index: {name: made, prepareUnique: true}});
    const reply = ask({collMod: name, index: {name: made, unique: true}});
    if (!reply.ok) {
      if (base) must({collMod: name, index: {name: made, prepareUnique: false}});
      else drop(made);
      if (!base && own) must({createIndexes: name, indexes: [again(own)]});
      throw new Error(why(reply));
    }
    if (base && base.hidden) must({collMod: name, index: {name: made, hidden: false}});
  } else {
    const gone = [base, own].filter((each, at, all) => each && all.indexOf(each) === at);
    for (const each of gone) drop(each.name);
    const reply = ask({createIndexes: name, indexes: [Object.assign({}, spec, {unique: true})]});
    if (!reply.ok) {
      for (const each of gone) must({createIndexes: name, indexes: [again(each)]});
      throw new Error(why(reply));
    }
  }
  print(name + ': ' + id + ' is unique');`;

export const downOfUnique = `${asking}
  if (!found) return;
${indexes}
  const wanted = old ? old.name : index;
  const there = listed().find(each => each.name === wanted);
  // Where none of the name was there, a plain one is what an install began with that did not come to its end.
  const isBack = there && (!isOn(there) || (!isNew && !there.unique && !there.prepareUnique));
  if (there && !isBack) must({dropIndexes: name, index: wanted});
  // Where it could not be changed in place, the unique one took its place under another name.
  const instead = !there && listed().find(each => each.name === index && isOn(each) && each.unique && !isOdd(each));
  if (instead) must({dropIndexes: name, index: index});
  if (old && !isBack) must({createIndexes: name, indexes: [bare(old)]});
  for (const other of others)
    if (!listed().some(each => each.name === other.name)) must({createIndexes: name, indexes: [bare(other)]});
  if (!isBack) print(name + ': ' + id + ' need not be unique any more');`;

const validator = `  const rest = (found && found.options && found.options.validator) || {};
  const parts = each => (Object.keys(each).length === 1 && Array.isArray(each.$and) ? each.$and : [each]);
  const isDemand = each => JSON.stringify(each) === JSON.stringify(demand);
  const isThere = parts(rest).some(isDemand);`;

export const upOfValid = `${asking}
  if (!found) throw new Error('there is no collection ' + name);
${validator}
  const level = found.options.validationLevel || 'strict';
  const action = found.options.validationAction || 'error';
  const refuses = ['error', 'errorAndLog'].includes(action);
  const isWeak = level === 'off' || !refuses;
  const isNone = Object.keys(rest).length === 0;
  if (!isNone && !isThere && isWeak)
    throw new Error('there is a validator that only warns or is off, and would begin to refuse documents');
  const whole = isThere ? rest : isNone ? demand : {$and: [rest, demand]};
  if (!isThere || isWeak)
    must({collMod: name, validator: whole, validationLevel: 'moderate', validationAction: refuses ? action : 'error'});
  const pipeline = [{$match: {$nor: [whole]}}, {$count: 'n'}];
  const [counted] = must({aggregate: name, pipeline: pipeline, cursor: {}}).cursor.firstBatch;
  if (!counted) {
    must({collMod: name, validationLevel: 'strict'});
    print(name + ': strict');
    return;
  }
  const [place, quoted] = [database.getName(), name].map(text => JSON.stringify(text));
  print(
    name + ': moderate, ' + (Number(counted.n) === 1 ? '1 document violates it' : Number(counted.n) + ' documents violate it') +
      '. They are found by: db.getSiblingDB(' + place + ').getCollection(' + quoted + ').find({$nor: [db.getSiblingDB(' + place +
      ').getCollectionInfos({name: ' + quoted + '})[0].options.validator]})',
  );`;

export const downOfValid = `${asking}
${validator}
  if (!isThere) return;
  const left = parts(rest).filter(each => !isDemand(each));
  const back = left.length === 0 ? {} : left.length === 1 ? left[0] : {$and: left};
  must({collMod: name, validator: back, validationLevel: level, validationAction: action});
  print(name + ': ' + id + ' is not validated any more');`;
