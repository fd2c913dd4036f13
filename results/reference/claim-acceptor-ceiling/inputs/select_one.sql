-- The smallest query there is: no table, so that connecting is what is measured.
SELECT 1;
