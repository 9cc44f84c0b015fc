{{ config(materialized="incremental", unique_key="id", incremental_strategy="merge") }}
select id, score + {{ var("more", 0) }} as score
from {{ ref("titles") }}
{% if is_incremental() %} where score > 200 {% endif %}
