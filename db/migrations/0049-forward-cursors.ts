import { type Kysely, sql } from 'kysely';

/** A cursor that went backwards would hand people out twice, so the database refuses it whoever asks for it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function refuse_backward_cursor() returns trigger
    language plpgsql set search_path = public, pg_temp as $fn$
    begin
      raise exception 'The cursor of wave % stands at % and would go to %.', old.id, old.next_ordinal, new.next_ordinal;
    end $fn$;
    create trigger refuse_backward_cursor before update of next_ordinal on waves
      for each row when (new.next_ordinal <= old.next_ordinal) execute function refuse_backward_cursor();`.execute(
    db,
  );
}
