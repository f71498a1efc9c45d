-- +goose Up
-- A mobile number of Brazil is known here with its ninth digit, which many ids of WhatsApp lack. Where it was kept in both
-- forms, what was said last stays.
delete from contacts as short
where short.phone like '55%' and length(short.phone) = 12 and substr(short.phone, 5, 1) between '6' and '9'
    and exists (
        select 1 from contacts as whole where whole.connection_id = short.connection_id and whole.time >= short.time
            and whole.phone = substr(short.phone, 1, 4) || '9' || substr(short.phone, 5)
    );
delete from contacts as whole
where whole.phone like '55__9%' and length(whole.phone) = 13 and substr(whole.phone, 6, 1) between '6' and '9'
    and exists (
        select 1 from contacts as short where short.connection_id = whole.connection_id
            and short.phone = substr(whole.phone, 1, 4) || substr(whole.phone, 6)
    );
update contacts set phone = substr(phone, 1, 4) || '9' || substr(phone, 5)
where phone like '55%' and length(phone) = 12 and substr(phone, 5, 1) between '6' and '9';
