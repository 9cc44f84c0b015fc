select i as id, i / 10.0 as a, 2.0 as b, 3.0 as c, 4.0 as d from range(1000) t(i)
