// What Microsoft's language service says of KQL. It reads {tables: {name: {column: type}}, queries: {name: text}} as JSON from
// its input, and writes, by the query's name: `problems` (errors and warnings), `columns` of its result with their types, `uses`
// (each table, what its column of names or its property `event` is compared with, and which properties are read of it), `strays`
// (properties read where no table is known), `operators` and `functions`.
"use strict";

require("@kusto/language-service-next/bridge.min.js");
require("@kusto/language-service-next/Kusto.Language.Bridge.min.js");

const { GlobalState, KustoCode, Symbols, Syntax } = Kusto.Language;
const Kind = Syntax.SyntaxKind;
const COMPARISONS = [Kind.EqualExpression, Kind.InExpression];
const WHAT_IS_WHAT = { AppMetrics: "Name" }; // by a column; lines by the property `event`

function databaseOf(tables) {
  const symbols = Object.entries(tables).map(([name, columns]) => {
    const typed = Object.entries(columns).map(
      ([column, type]) => new Symbols.ColumnSymbol(column, Symbols.ScalarTypes.GetSymbol(type)),
    );
    return new Symbols.TableSymbol.$ctor4(name, typed);
  });
  return new Symbols.DatabaseSymbol.ctor("workspace", symbols);
}

function* walk(node) {
  yield node;
  for (let index = 0; index < node.ChildCount; index += 1) {
    const child = node.GetChild(index);
    if (child !== null && child instanceof Syntax.SyntaxNode) yield* walk(child);
  }
}

const isTable = (node) => node.Kind === Kind.NameReference && node.ReferencedSymbol instanceof Symbols.TableSymbol;

// The whole pipe that begins with a table: what is read of its columns is read of that table.
function pipeOf(table) {
  let pipe = table;
  while (pipe.Parent?.Kind === Kind.PipeExpression && pipe.Parent.Expression === pipe) pipe = pipe.Parent;
  return pipe;
}

// The name of a property, where a node is `Properties.name` or `Properties["name"]`; of a deeper one only the first.
function propertyOf(node) {
  if (node.Kind !== Kind.PathExpression && node.Kind !== Kind.ElementExpression) return null;
  if (node.Expression.SimpleName !== "Properties") return null;
  return node.Kind === Kind.PathExpression ? node.Selector.SimpleName : literalsOf(node.Selector)[0];
}

function propertiesOf(nodes) {
  return [...new Set(nodes.map(propertyOf).filter((each) => each !== null))];
}

function literalsOf(node) {
  return [...walk(node)].filter((each) => each.Kind === Kind.StringLiteralExpression).map((each) => each.LiteralValue);
}

function useOf(table) {
  const nodes = [...walk(pipeOf(table))];
  const isWhat = (node) => propertyOf(node) === "event" || node.SimpleName === WHAT_IS_WHAT[table.SimpleName];
  const aliases = new Set(
    nodes
      .filter((node) => node.Kind === Kind.SimpleNamedExpression && [...walk(node.Expression)].some(isWhat))
      .map((node) => node.Name.SimpleName),
  );
  const saysWhat = (node) => isWhat(node) || aliases.has(node.SimpleName);
  const compared = nodes.filter((node) => COMPARISONS.includes(node.Kind) && [...walk(node.Left)].some(saysWhat));
  return {
    table: table.SimpleName,
    names: [...new Set(compared.flatMap((node) => literalsOf(node.Right)))],
    properties: propertiesOf(nodes),
  };
}

function said(code) {
  const found = code.GetDiagnostics();
  return Array.from({ length: found.Count }, (_, index) => found.getItem(index)).map(
    (each) => `${each.Severity}: ${each.Message} (${each.Code}, at ${each.Start})`,
  );
}

function columnsOf(code) {
  const columns = code.ResultType?.Columns;
  if (!columns) return {};
  return Object.fromEntries(
    Array.from({ length: columns.Count }, (_, index) => columns.getItem(index)).map((each) => [each.Name, each.Type.Name]),
  );
}

function analysed(text, globals) {
  const code = KustoCode.ParseAndAnalyze(text, globals);
  const nodes = [...walk(code.Syntax)];
  const tables = nodes.filter(isTable);
  const known = new Set(tables.flatMap((table) => [...walk(pipeOf(table))]));
  const operators = nodes.filter((node) => node instanceof Syntax.QueryOperator);
  const calls = nodes.filter((node) => node.Kind === Kind.FunctionCallExpression);
  return {
    problems: said(code),
    columns: columnsOf(code),
    uses: tables.map(useOf),
    strays: propertiesOf(nodes.filter((node) => !known.has(node))),
    operators: [...new Set(operators.map((each) => System.Enum.toString(Kind, each.Kind)))],
    functions: [...new Set(calls.map((call) => call.Name.SimpleName))],
  };
}

function main(input) {
  const { tables, queries } = JSON.parse(input);
  const globals = GlobalState.Default.WithDatabase(databaseOf(tables));
  const answers = Object.entries(queries).map(([name, text]) => [name, analysed(text, globals)]);
  process.stdout.write(JSON.stringify(Object.fromEntries(answers)));
}

main(require("node:fs").readFileSync(0, "utf8"));
