-- GoogleSQL, with ML.PREDICT as in BigQuery.
select * from mallard.googlesql('
  SELECT COUNTIF(score > 0.5) AS high, COUNT(*) AS total FROM ML.PREDICT(MODEL perceptron, TABLE {{ ref("measured").identifier }})
')
