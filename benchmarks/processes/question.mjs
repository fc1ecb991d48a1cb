// @ts-check
// One question, in a process that no other question was asked in.
import { answer } from "../measure/child.mjs";
import { questionOf, WHOLE } from "../measure/question.mjs";

answer(async (/** @type {{ name: string, rounds: number }} */ { name, rounds }, note) => {
  const { title, measure } = await questionOf(name);
  return { title, groups: await measure({ ...WHOLE, rounds, note }) };
});
