// Reads the repository's own text for the tests of its style: which files there are, what a program imports,
// and what it mentions. TypeScript's parser decides, so that a word in a comment or a string never counts as code.

import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import ts from "typescript";

const ROOT = path.resolve(__dirname, "../..");

/** Many rules look at each file, and parsing is what costs. */
const parsedFiles = new WeakMap<SourceFile, ParsedFile>();

export interface SourceFile {
  /** From the root of the repository, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

export interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
  readonly line: number;
}

export interface Mention {
  /** The code itself, such as `Date.now`, or one of the names below for what has no text of its own. */
  readonly what: string;
  readonly line: number;
}

interface ParsedFile {
  readonly tree: ts.SourceFile;
  readonly all: readonly ts.Node[];
}

export function repositoryFiles(): SourceFile[] {
  const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
    cwd: ROOT,
  });
  return String(listed)
    .split("\n")
    .filter((file) => file !== "" && fs.existsSync(path.join(ROOT, file)))
    .map((file) => ({ path: file, text: fs.readFileSync(path.join(ROOT, file), "utf8") }));
}

export function isProgram(file: SourceFile): boolean {
  return /\.[cm]?[jt]s$/.test(file.path);
}

export function importsOf(file: SourceFile): Import[] {
  const { tree, all } = parse(file);
  return all.flatMap((node) => {
    const found = importIn(node);
    return found === undefined ? [] : [{ ...found, line: lineOf(tree, node) }];
  });
}

export function mentionsOf(file: SourceFile): Mention[] {
  const { tree, all } = parse(file);
  return all.flatMap((node) => {
    const what = mentionIn(node, tree);
    return what === undefined ? [] : [{ what, line: lineOf(tree, node) }];
  });
}

function importIn(node: ts.Node): Omit<Import, "line"> | undefined {
  if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
    return { specifier: node.moduleSpecifier.text, typeOnly: importsOnlyTypes(node.importClause) };
  }
  if (
    ts.isExportDeclaration(node) &&
    node.moduleSpecifier !== undefined &&
    ts.isStringLiteral(node.moduleSpecifier)
  ) {
    return { specifier: node.moduleSpecifier.text, typeOnly: node.isTypeOnly };
  }
  if (
    ts.isImportTypeNode(node) &&
    ts.isLiteralTypeNode(node.argument) &&
    ts.isStringLiteral(node.argument.literal)
  ) {
    return { specifier: node.argument.literal.text, typeOnly: true };
  }
  if (ts.isExternalModuleReference(node) && ts.isStringLiteral(node.expression)) {
    return { specifier: node.expression.text, typeOnly: false };
  }
  const loads =
    ts.isCallExpression(node) &&
    /^(import|require|require\.resolve)$/.test(node.expression.getText());
  const argument = loads ? node.arguments[0] : undefined;
  if (argument === undefined || !ts.isStringLiteralLike(argument)) return undefined;
  return { specifier: argument.text, typeOnly: false };
}

function importsOnlyTypes(clause: ts.ImportClause | undefined): boolean {
  if (clause === undefined) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const bindings = clause.namedBindings;
  const named = bindings !== undefined && ts.isNamedImports(bindings) ? bindings.elements : [];
  return clause.name === undefined && named.length > 0 && named.every((each) => each.isTypeOnly);
}

function mentionIn(node: ts.Node, tree: ts.SourceFile): string | undefined {
  if (node.kind === ts.SyntaxKind.AnyKeyword) return "type any";
  if (ts.isNonNullExpression(node)) return "non-null assertion";
  if (ts.isEnumDeclaration(node)) return "enum declaration";
  if (ts.isExportAssignment(node) || isDefaultExport(node)) return "default export";
  if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) return "re-export";
  if (ts.isNewExpression(node) && (node.arguments ?? []).length === 0)
    return `new ${node.expression.getText(tree)}()`;
  if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression))
    return node.getText(tree);
  return ts.isIdentifier(node) ? node.text : undefined;
}

function isDefaultExport(node: ts.Node): boolean {
  return (
    ts.canHaveModifiers(node) &&
    (ts.getModifiers(node) ?? []).some((each) => each.kind === ts.SyntaxKind.DefaultKeyword)
  );
}

function parse(file: SourceFile): ParsedFile {
  const known = parsedFiles.get(file);
  if (known !== undefined) return known;
  const tree = ts.createSourceFile(file.path, file.text, ts.ScriptTarget.Latest, true);
  const all: ts.Node[] = [];
  const visit = (node: ts.Node): void => {
    all.push(node);
    ts.forEachChild(node, visit);
  };
  ts.forEachChild(tree, visit);
  const parsed = { tree, all };
  parsedFiles.set(file, parsed);
  return parsed;
}

function lineOf(tree: ts.SourceFile, node: ts.Node): number {
  return tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1;
}
