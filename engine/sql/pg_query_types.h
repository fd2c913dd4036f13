// The names of libpg_query's tree types, for headers that only point to them: the generated header
// that defines them is large, and only .cc files include it.
#pragma once

// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): the library's names.
extern "C" {
typedef struct PgQuery__ParseResult PgQuery__ParseResult;
typedef struct PgQuery__RawStmt PgQuery__RawStmt;
typedef struct PgQuery__Node PgQuery__Node;
typedef struct PgQuery__TypeName PgQuery__TypeName;
typedef struct PgQuery__AExpr PgQuery__AExpr;
typedef struct PgQuery__FuncCall PgQuery__FuncCall;
typedef struct PgQuery__SubLink PgQuery__SubLink;
typedef struct PgQuery__NullTest PgQuery__NullTest;
typedef struct PgQuery__ColumnRef PgQuery__ColumnRef;
typedef struct PgQuery__RangeVar PgQuery__RangeVar;
typedef struct PgQuery__TransactionStmt PgQuery__TransactionStmt;
typedef struct PgQuery__CopyStmt PgQuery__CopyStmt;
typedef struct PgQuery__ExecuteStmt PgQuery__ExecuteStmt;
typedef struct PgQuery__Constraint PgQuery__Constraint;
typedef struct PgQuery__AlterTableCmd PgQuery__AlterTableCmd;
typedef struct PgQuery__RoleSpec PgQuery__RoleSpec;
typedef struct PgQuery__ParamRef PgQuery__ParamRef;
typedef struct PgQuery__AlterTableStmt PgQuery__AlterTableStmt;
typedef struct PgQuery__GrantStmt PgQuery__GrantStmt;
typedef struct PgQuery__WindowDef PgQuery__WindowDef;
typedef struct PgQuery__IntoClause PgQuery__IntoClause;
typedef struct PgQuery__RenameStmt PgQuery__RenameStmt;
typedef struct PgQuery__SelectStmt PgQuery__SelectStmt;
}
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)
