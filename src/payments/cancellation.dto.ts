import { ApiSchema } from '@nestjs/swagger';

@ApiSchema({ description: 'An action without members; an empty body will do.' })
export class CancelOrder {}
