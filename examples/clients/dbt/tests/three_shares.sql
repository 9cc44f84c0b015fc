select * from {{ ref("classified") }} where array_length(dense_1) <> 3
