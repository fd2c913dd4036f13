\if true
\else
\else
