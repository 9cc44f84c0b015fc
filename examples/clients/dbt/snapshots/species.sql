{% snapshot species_history %}
{{ config(target_schema="dbt_ducks", unique_key="id", strategy="check", check_cols=["name"]) }}
select * from {{ ref("species") }}
{% endsnapshot %}
