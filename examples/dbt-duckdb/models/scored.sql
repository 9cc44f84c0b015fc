-- On dbt's own connection, which sees what this run has made.
select id, score from mallard.predict('perceptron', 'FROM {{ ref("measured") }}')
