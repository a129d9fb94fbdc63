import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Column, Entity, PrimaryGeneratedColumn, Repository } from 'typeorm';

/** What the README of the package leaves out: a service as it was before. */
@Entity('notes')
export class Note {
  @PrimaryGeneratedColumn('uuid')
  id!: string;

  @Column()
  text!: string;
}

@Injectable()
export class NotesService {
  constructor(@InjectRepository(Note) private readonly repository: Repository<Note>) {}

  create(text: string): Promise<Note> {
    return this.repository.save({ text });
  }
}
