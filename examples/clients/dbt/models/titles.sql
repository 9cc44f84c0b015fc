select id, title, score
from `bigquery-public-data`.hacker_news.full
where title is not null
